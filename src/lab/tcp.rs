//! Serves one address over TCP: several queries a connection, each behind its length, replies as they are ready.
//!
//! Source: RFC 1035 §4.2.2, RFC 7766 §6-8.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

use crate::evidence::Protocol;
use crate::lab::desk::Desk;
use crate::scenario::server::Action;

/// How long a connection may be idle (RFC 7766 §6.2.3 wants seconds).
const IDLE: Duration = Duration::from_secs(10);
/// The most connections of one address; more are closed at once.
const MAX_CONNECTIONS: usize = 128;
/// The most replies of one connection that wait for their time; more are lost.
const MAX_LATE_REPLIES: usize = 128;

/// Takes connections, for ever.
pub(super) async fn serve(listener: TcpListener, address: IpAddr, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        if connections.len() < MAX_CONNECTIONS {
            connections.spawn(talk(stream, address, Arc::clone(&desk)));
        }
    }
}

/// Talks with one client until it goes, says nothing for long, or is refused.
async fn talk(stream: TcpStream, address: IpAddr, desk: Arc<Desk>) {
    // Replies are small and go out whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let (mut from, to) = stream.into_split();
    let to = Arc::new(Mutex::new(to));
    let mut late = JoinSet::new();
    while let Ok(Ok(query)) = timeout(IDLE, read_message(&mut from)).await {
        match desk.decide(address, Protocol::Tcp, &query) {
            Action::RefuseConnection => return,
            Action::Silence => {}
            Action::Reply { octets, delay } if delay.is_zero() => {
                if write_message(&to, &octets).await.is_err() {
                    return;
                }
            }
            Action::Reply { octets, delay } => {
                while late.try_join_next().is_some() {}
                if late.len() < MAX_LATE_REPLIES {
                    let to = Arc::clone(&to);
                    late.spawn(async move {
                        tokio::time::sleep(delay).await;
                        let _ = write_message(&to, &octets).await;
                    });
                }
            }
        }
    }
    // A client may close its half and still wait for what is under way.
    while late.join_next().await.is_some() {}
}

/// Reads one message.
async fn read_message(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let length = from.read_u16().await?;
    let mut octets = vec![0; usize::from(length)];
    from.read_exact(&mut octets).await?;
    Ok(octets)
}

/// Writes one message, with its length in front, in one piece (RFC 7766 §8).
async fn write_message(to: &Mutex<OwnedWriteHalf>, octets: &[u8]) -> io::Result<()> {
    let length = u16::try_from(octets.len()).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut framed = Vec::with_capacity(octets.len() + 2);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(octets);
    let mut to = to.lock().await;
    timeout(IDLE, to.write_all(&framed)).await.map_err(|_| io::ErrorKind::TimedOut)?
}
