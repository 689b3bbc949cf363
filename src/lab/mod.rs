//! An Internet in a process: serves a scenario on loopback sockets, for people, demos and whole runs of the program.
//!
//! One UDP socket and one TCP listener an address, all at the same port. What a server says is decided by
//! [`Scenario::respond`] alone; here are only sockets, timers and limits. [`demo`] is the Internet that comes along, with
//! tenants from [`fleet`]. [`ses`] is the Amazon SES that looks at it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use zoneproof::lab::{self, Lab};
//!
//! let lab = Lab::start(Arc::new(lab::demo()?), None).await?;
//! println!("port {}, root servers {:?}", lab.port(), lab.root_hints());
//! # Ok(())
//! # }
//! ```

mod desk;
mod dice;
pub mod fleet;
pub mod ses;
mod tcp;
mod udp;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use crate::dns::name::Name;
use crate::evidence::Protocol;
use crate::scenario::{ParseError, Scenario};
use desk::Desk;

/// The hand-written part of the demo: root, registries, providers and hosters.
const INTERNET: &str = include_str!("../../fixtures/lab/internet.scn");
/// The tenants of the demo, as [`fleet::fleet`] writes them.
const TENANTS: &str = include_str!("../../fixtures/lab/tenants.scn");

/// Where a free port is looked for: below the ports that systems hand out to clients (RFC 6056 §3.2), so that no query
/// leaves from the lab's own port.
const FREE_PORTS: std::ops::Range<u16> = 20_000..30_000;
/// How many ports are tried before there is said to be none.
const MAX_PORT_TRIES: u32 = 32;

/// Why a lab cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// The scenario has no address.
    #[error("the scenario has no server to run")]
    Empty,
    /// An address would not stay on this machine.
    #[error("{0} is no loopback address; a lab serves 127.0.0.0/8 and ::1 alone")]
    NotLoopback(IpAddr),
    /// Something else listens there.
    #[error("port {port} of {address} is in use; stop what listens there, or choose another port")]
    PortInUse {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
    },
    /// Every port tried was in use at one of the addresses.
    #[error("no port is free at all addresses of the scenario, of {MAX_PORT_TRIES} that were tried")]
    NoFreePort,
    /// A socket cannot be opened.
    #[error("cannot listen at port {port} of {address}")]
    Listen {
        /// The address.
        address: IpAddr,
        /// The port.
        port: u16,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Returns the Internet that comes along: the big providers, small hosters and some hundred tenants.
///
/// # Errors
/// [`ParseError`] where the embedded text is wrong, which a test rules out.
pub fn demo() -> Result<Scenario, ParseError> {
    internet_with(TENANTS)
}

/// Returns the same Internet with other tenants, such as those of [`fleet::fleet`]; may be without any.
///
/// # Errors
/// [`ParseError`] where `tenants` is no text of a scenario; the line that it names counts those of the Internet too.
pub fn internet_with(tenants: &str) -> Result<Scenario, ParseError> {
    format!("{INTERNET}\n{tenants}").parse()
}

/// A scenario that is being served; dropping it closes all sockets.
#[derive(Debug)]
pub struct Lab {
    /// What decides and counts.
    desk: Arc<Desk>,
    /// The port of all servers.
    port: u16,
    /// The loops that serve; they end with the set.
    _loops: JoinSet<()>,
}

/// The sockets of one address; there is none where nobody listens.
struct Sockets {
    /// The address.
    address: IpAddr,
    /// For UDP.
    udp: Option<UdpSocket>,
    /// For TCP.
    tcp: Option<TcpListener>,
}

impl Lab {
    /// Starts to serve at `port`, or at one that is free where it is `None` or zero. Runs inside a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// [`LabError::NotLoopback`] and [`LabError::Empty`] by the scenario, the others by the sockets; then none stays open.
    pub async fn start(scenario: Arc<Scenario>, port: Option<u16>) -> Result<Self, LabError> {
        let addresses = scenario.addresses();
        if addresses.is_empty() {
            return Err(LabError::Empty);
        }
        if let Some(foreign) = addresses.iter().find(|address| !address.is_loopback()) {
            return Err(LabError::NotLoopback(*foreign));
        }
        let (port, sockets) = match port.filter(|port| *port != 0) {
            Some(port) => (port, open_all(&scenario, &addresses, port).await?),
            None => open_somewhere(&scenario, &addresses).await?,
        };
        let desk = Arc::new(Desk::new(scenario));
        let mut loops = JoinSet::new();
        for Sockets { address, udp, tcp } in sockets {
            if let Some(socket) = udp {
                loops.spawn(udp::serve(socket, address, Arc::clone(&desk)));
            }
            if let Some(listener) = tcp {
                loops.spawn(tcp::serve(listener, address, Arc::clone(&desk)));
            }
        }
        Ok(Self { desk, port, _loops: loops })
    }

    /// Returns the port of all servers.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns what is served.
    #[must_use]
    pub fn scenario(&self) -> &Arc<Scenario> {
        self.desk.scenario()
    }

    /// Returns the root servers with their names.
    #[must_use]
    pub fn root_hints(&self) -> Vec<(Name, IpAddr)> {
        self.desk.scenario().root_hints()
    }

    /// Returns how many messages came in so far, over UDP and TCP, unreadable ones too.
    #[must_use]
    pub fn questions(&self) -> u64 {
        self.desk.questions()
    }
}

/// Opens the sockets of all addresses at the first port that is free at all of them.
async fn open_somewhere(scenario: &Scenario, addresses: &[IpAddr]) -> Result<(u16, Vec<Sockets>), LabError> {
    for _ in 0..MAX_PORT_TRIES {
        let port = rand::random_range(FREE_PORTS);
        match open_all(scenario, addresses, port).await {
            Ok(sockets) => return Ok((port, sockets)),
            Err(LabError::PortInUse { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(LabError::NoFreePort)
}

/// Opens the sockets of all addresses.
async fn open_all(scenario: &Scenario, addresses: &[IpAddr], port: u16) -> Result<Vec<Sockets>, LabError> {
    let mut all = Vec::with_capacity(addresses.len());
    for &address in addresses {
        let place = SocketAddr::new(address, port);
        let wrong = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => LabError::PortInUse { address, port },
            _ => LabError::Listen { address, port, source },
        };
        let mut sockets = Sockets { address, udp: None, tcp: None };
        if desk::is_listening(scenario, address, Protocol::Udp) {
            sockets.udp = Some(UdpSocket::bind(place).await.map_err(wrong)?);
        }
        if desk::is_listening(scenario, address, Protocol::Tcp) {
            sockets.tcp = Some(TcpListener::bind(place).await.map_err(wrong)?);
        }
        all.push(sockets);
    }
    Ok(all)
}
