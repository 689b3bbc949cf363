//! `zoneproof doctor`: whether checks from this host can be trusted.

use serde::Serialize;

use crate::cli::args::DoctorArguments;
use crate::cli::engine::{Plan, Source};
use crate::cli::failure::Failure;
use crate::cli::{NOT_CHECKED, WELL, console};
use crate::doctor::{self, Health, Probe};
use crate::transport::guard::AddressPolicy;
use crate::transport::live::{TransportSettings, live};
use crate::transport::source;
use crate::transport::udp::UdpTransport;

/// A probe in JSON.
#[derive(Serialize)]
struct Line<'a> {
    /// What was looked at.
    subject: &'a str,
    /// How it is, as a word.
    health: &'a str,
    /// What was seen.
    seen: &'a str,
}

/// Looks, and prints a line for each probe.
pub(super) async fn run(arguments: DoctorArguments) -> Result<u8, Failure> {
    let plan = Plan::read(&arguments.resolver, source_of(&arguments))?;
    let engine = plan.start(false).await?;
    let config = &plan.config;
    let policy =
        if config.allow_special_addresses { AddressPolicy::allowing_special() } else { AddressPolicy::public() };
    let settings = TransportSettings {
        dns_port: engine.port,
        bind: config.bind,
        use_ipv6: config.ipv6,
        limits: config.pace,
        policy,
        attempts: config.attempts,
    };
    let transport = live(&settings).map_err(Failure::Runtime)?;
    let source = source::Source { bind: config.bind, use_ipv6: config.ipv6 };
    let stray = UdpTransport::new(engine.port, source).map_err(Failure::Runtime)?;
    let probes = doctor::examine(transport.as_ref(), &stray, &engine.roots).await;
    console::print(&if arguments.json { in_json(&probes) } else { in_text(&probes) })?;
    Ok(if doctor::can_be_trusted(&probes) { WELL } else { NOT_CHECKED })
}

/// Says who is looked at.
fn source_of(arguments: &DoctorArguments) -> Source<'static> {
    #[cfg(feature = "lab")]
    if arguments.lab {
        return Source::Lab;
    }
    let _ = arguments;
    Source::Live
}

/// Returns the word for how something is.
fn word(health: Health) -> &'static str {
    match health {
        Health::Well => "ok",
        Health::Lacking => "lacking",
        Health::Broken => "broken",
    }
}

/// Writes a line for each probe.
fn in_text(probes: &[Probe]) -> String {
    let line = |probe: &Probe| format!("{:8} {:13} {}\n", word(probe.health), probe.subject, probe.seen);
    probes.iter().map(line).collect()
}

/// Writes an array.
fn in_json(probes: &[Probe]) -> String {
    let line = |probe: &Probe| {
        serde_json::to_value(Line { subject: probe.subject, health: word(probe.health), seen: &probe.seen })
    };
    // Texts are always written.
    let lines: Vec<_> = probes.iter().filter_map(|probe| line(probe).ok()).collect();
    serde_json::to_string(&lines).unwrap_or_default() + "\n"
}
