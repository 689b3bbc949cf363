//! Real name servers, started on loopback for one test and ended with it.
#![cfg(test)]

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use zoneproof::scenario::Zone;

/// Which program serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Software {
    /// NLnet Labs' NSD.
    Nsd,
    /// ISC's BIND.
    Bind,
    /// CZ.NIC's Knot DNS.
    Knot,
}

impl Software {
    /// All programs.
    pub(crate) const ALL: &[Self] = &[Self::Nsd, Self::Bind, Self::Knot];

    /// Returns the program's file name.
    fn program(self) -> &'static str {
        match self {
            Self::Nsd => "nsd",
            Self::Bind => "named",
            Self::Knot => "knotd",
        }
    }

    /// Finds the program; administrators' folders are looked into too.
    fn path(self) -> Option<PathBuf> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders)
            .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
            .map(|folder| folder.join(self.program()))
            .find(|path| path.is_file())
    }
}

/// Says whether the tests against real servers can run.
///
/// # Panics
/// Where a program is missing although `ZONEPROOF_REAL_SERVERS=required` says that they must run.
pub(crate) fn are_installed() -> bool {
    let missing: Vec<&str> =
        Software::ALL.iter().filter(|software| software.path().is_none()).map(|software| software.program()).collect();
    let may_add_addresses = LoopbackAddress::add(IpAddr::from([127, 42, 0, std::process::id() as u8])).is_some();
    let is_required = std::env::var("ZONEPROOF_REAL_SERVERS").is_ok_and(|value| value == "required");
    assert!(missing.is_empty() || !is_required, "not installed: {}", missing.join(", "));
    assert!(may_add_addresses || !is_required, "this user may not give the loopback interface an address");
    missing.is_empty() && may_add_addresses
}

/// A running name server.
pub(crate) struct Daemon {
    /// The process.
    child: Child,
    /// What it prints.
    log: PathBuf,
    /// The addresses that were given to the loopback interface for it.
    _addresses: Vec<LoopbackAddress>,
}

/// An address of the loopback interface, taken off again when dropped.
///
/// BIND listens only at addresses that an interface has; the others listen anywhere in 127.0.0.0/8.
pub(crate) struct LoopbackAddress(IpAddr);

impl LoopbackAddress {
    /// Gives an address to the loopback interface; `None` where this user may not.
    pub(crate) fn add(address: IpAddr) -> Option<Self> {
        Self::ip("add", address).then_some(Self(address))
    }

    /// Runs `ip address`.
    fn ip(verb: &str, address: IpAddr) -> bool {
        let arguments = ["address", verb, &format!("{address}/32"), "dev", "lo"].map(str::to_owned);
        let status = Command::new("ip").args(arguments).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for LoopbackAddress {
    fn drop(&mut self) {
        Self::ip("del", self.0);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    /// Starts `software` in `folder`, serving `zones` at all of `addresses`; it may take a moment until it answers.
    pub(crate) fn start(software: Software, folder: &Path, addresses: &[IpAddr], port: u16, zones: &[&Zone]) -> Self {
        fs::create_dir_all(folder).unwrap();
        let mut files = Vec::new();
        for (number, zone) in zones.iter().enumerate() {
            let file = folder.join(format!("{number}.zone"));
            fs::write(&file, zone.to_zone_file()).unwrap();
            files.push((zone.origin().to_string(), file));
        }
        Self::start_with_files(software, folder, addresses, port, &files)
    }

    /// Starts `software` in `folder`, serving zones from their files, given as (zone, file).
    pub(crate) fn start_with_files(
        software: Software,
        folder: &Path,
        addresses: &[IpAddr],
        port: u16,
        files: &[(String, PathBuf)],
    ) -> Self {
        fs::create_dir_all(folder).unwrap();
        let configuration = folder.join("configuration");
        let text = match software {
            Software::Nsd => nsd_configuration(folder, addresses, port, files),
            Software::Bind => bind_configuration(folder, addresses, port, files),
            Software::Knot => knot_configuration(folder, addresses, port, files),
        };
        fs::write(&configuration, text).unwrap();
        let arguments: &[&str] = match software {
            Software::Nsd => &["-d", "-c"],
            Software::Bind => &["-g", "-n", "1", "-c"],
            Software::Knot => &["-c"],
        };
        let log = fs::File::create(folder.join("log")).unwrap();
        let needs_addresses = if software == Software::Bind { addresses } else { &[] };
        let own_addresses = needs_addresses.iter().filter_map(|address| LoopbackAddress::add(*address)).collect();
        let child = Command::new(software.path().unwrap())
            .args(arguments)
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, log: folder.join("log"), _addresses: own_addresses }
    }

    /// Returns what the server printed, to be shown where it does not come up.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// Writes NSD's configuration.
fn nsd_configuration(folder: &Path, addresses: &[IpAddr], port: u16, zones: &[(String, PathBuf)]) -> String {
    let folder = folder.display();
    let addresses: String = addresses.iter().map(|address| format!("  ip-address: {address}\n")).collect();
    let mut text = format!(
        "server:\n{addresses}  port: {port}\n  server-count: 1\n  username: \"\"\n  chroot: \"\"\n  \
         zonesdir: \"{folder}\"\n  database: \"\"\n  pidfile: \"{folder}/pid\"\n  xfrdfile: \"{folder}/xfrd\"\n  \
         xfrdir: \"{folder}\"\n  zonelistfile: \"{folder}/list\"\n  rrl-ratelimit: 0\nremote-control:\n  \
         control-enable: yes\n  control-interface: \"{folder}/control\"\n"
    );
    for (zone, file) in zones {
        text.push_str(&format!("zone:\n  name: \"{zone}\"\n  zonefile: \"{}\"\n", file.display()));
    }
    text
}

/// Writes BIND's configuration.
fn bind_configuration(folder: &Path, addresses: &[IpAddr], port: u16, zones: &[(String, PathBuf)]) -> String {
    let folder = folder.display();
    let addresses: String = addresses.iter().map(|address| format!("{address}; ")).collect();
    let mut text = format!(
        "options {{\n  directory \"{folder}\";\n  listen-on port {port} {{ {addresses} }};\n  listen-on-v6 {{ none; }};\n  \
         pid-file \"{folder}/pid\";\n  session-keyfile \"{folder}/key\";\n  recursion no;\n  dnssec-validation no;\n  \
         notify no;\n  minimal-responses yes;\n  check-names primary ignore;\n  empty-zones-enable no;\n  zero-no-soa-ttl no;\n}};\ncontrols {{ }};\n"
    );
    for (zone, file) in zones {
        text.push_str(&format!("zone \"{zone}\" {{ type primary; file \"{}\"; }};\n", file.display()));
    }
    text
}

/// Writes Knot's configuration.
fn knot_configuration(folder: &Path, addresses: &[IpAddr], port: u16, zones: &[(String, PathBuf)]) -> String {
    let folder = folder.display();
    let addresses: Vec<String> = addresses.iter().map(|address| format!("{address}@{port}")).collect();
    let addresses = addresses.join(", ");
    let mut text = format!(
        "server:\n  listen: [ {addresses} ]\n  rundir: \"{folder}\"\n  udp-workers: 1\n  tcp-workers: 1\n  \
         background-workers: 1\ndatabase:\n  storage: \"{folder}\"\n  journal-db-max-size: 8M\n  timer-db-max-size: 2M\n\
         log:\n  - target: stderr\n    any: warning\nzone:\n"
    );
    for (zone, file) in zones {
        text.push_str(&format!(
            "  - domain: \"{zone}\"\n    file: \"{}\"\n    zonefile-sync: -1\n    journal-content: none\n    \
             semantic-checks: off\n",
            file.display()
        ));
    }
    text
}
