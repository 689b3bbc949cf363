//! Serves one address over UDP.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::task::{JoinSet, yield_now};

use crate::evidence::Protocol;
use crate::lab::desk::Desk;
use crate::scenario::server::Action;

/// The longest query that is read whole, in octets; the largest payload that servers commonly take (RFC 6891 §6.2.5).
const MAX_QUERY_OCTETS: usize = 4096;
/// The most replies of one address that wait for their time; more are lost.
const MAX_LATE_REPLIES: usize = 1024;

/// Replies to what comes in, for ever.
pub(super) async fn serve(socket: UdpSocket, address: IpAddr, desk: Arc<Desk>) {
    let socket = Arc::new(socket);
    let mut late = JoinSet::new();
    let mut buffer = vec![0; MAX_QUERY_OCTETS];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            yield_now().await;
            continue;
        };
        let action = desk.decide(address, Protocol::Udp, buffer.get(..length).unwrap_or_default());
        let Action::Reply { octets, delay } = action else { continue };
        if delay.is_zero() {
            // A reply that cannot be sent is lost, as on the way.
            let _ = socket.send_to(&octets, peer).await;
            continue;
        }
        while late.try_join_next().is_some() {}
        if late.len() < MAX_LATE_REPLIES {
            let socket = Arc::clone(&socket);
            late.spawn(async move {
                tokio::time::sleep(delay).await;
                let _ = socket.send_to(&octets, peer).await;
            });
        }
    }
}
