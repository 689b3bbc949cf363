//! `zoneproof lab`: a small Internet on loopback, with an Amazon SES of its own, until Ctrl-C.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::args::LabArguments;
use crate::cli::engine::read_scenario;
use crate::cli::failure::Failure;
use crate::cli::{WELL, console, interrupt};
use crate::lab::ses::{SesLab, SesSettings};
use crate::lab::{self, Lab};
use crate::scenario::Scenario;
use crate::scenario::expect::{Check, Subject};

/// A file that goes when it is dropped.
struct TemporaryFile(PathBuf);

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // A file left behind in the folder for temporary files does no harm.
        drop(fs::remove_file(&self.0));
    }
}

/// Serves until it is interrupted.
pub(super) async fn run(arguments: LabArguments) -> Result<u8, Failure> {
    let mut interrupts = interrupt::Interrupts::listen()?;
    let scenario = Arc::new(read(&arguments.files)?);
    let lab = Lab::start(Arc::clone(&scenario), Some(arguments.port)).await?;
    let hints = write_hints(&lab)?;
    let mut text = greeting(&scenario, &lab, &hints.0);
    let ses = if arguments.no_ses { None } else { Some(start_ses(&arguments, &lab).await?) };
    if let Some((ses, identities)) = &ses {
        text += &ses_greeting(ses, *identities);
    }
    console::print(&text)?;
    interrupts.next().await;
    let calls = ses.map(|(ses, _)| format!(" and {} calls of Amazon SES", ses.counters().calls_in_all()));
    console::note(&format!("stopped after {} questions{}", lab.questions(), calls.unwrap_or_default()));
    Ok(WELL)
}

/// Starts an SES that looks at the lab, with an identity for each tenant, and says how many that are.
async fn start_ses(arguments: &LabArguments, lab: &Lab) -> Result<(SesLab, usize), Failure> {
    let settings = SesSettings {
        port: arguments.ses_port,
        speed: arguments.ses_speed,
        calls_per_second: NonZeroU32::new(arguments.ses_rate),
        ..SesSettings::default()
    };
    let ses = SesLab::start(&settings, lab.root_hints(), lab.port()).await?;
    let identities = ses.populate(lab.scenario());
    Ok((ses, identities))
}

/// Says how to call the lab's SES.
fn ses_greeting(ses: &SesLab, identities: usize) -> String {
    let variables: Vec<String> =
        ses.environment().into_iter().map(|(name, value)| format!("  export {name}={value}\n")).collect();
    format!("\nAn Amazon SES that looks at it, with {identities} identities, for any AWS SDK:\n{}", variables.concat())
}

/// Reads the scenarios and puts them together.
fn read(files: &[PathBuf]) -> Result<Scenario, Failure> {
    if files.is_empty() {
        return lab::demo().map_err(|error| scenario_failure(Path::new("the lab"), error));
    }
    let mut text = String::new();
    for path in files {
        // Each is read alone first, so that an error names its own file and line.
        read_scenario(path)?;
        text += &fs::read_to_string(path).map_err(|source| Failure::read(path, source))?;
        text.push('\n');
    }
    let last = files.last().map_or(Path::new("the lab"), PathBuf::as_path);
    text.parse().map_err(|error| scenario_failure(last, error))
}

/// Says what is wrong with a scenario.
fn scenario_failure(path: &Path, error: crate::scenario::ParseError) -> Failure {
    Failure::Scenario { path: path.to_owned(), text: error.to_string() }
}

/// Writes the lab's root servers where a check can read them.
fn write_hints(lab: &Lab) -> Result<TemporaryFile, Failure> {
    let mut text = String::from("; The root servers of `zoneproof lab`, in the form of named.root.\n");
    for (name, address) in lab.root_hints() {
        let kind = if address.is_ipv4() { "A" } else { "AAAA" };
        text += &format!(". 3600000 NS {name}\n{name} 3600000 {kind} {address}\n");
    }
    let path = env::temp_dir().join(format!("zoneproof-lab-{}.root", lab.port()));
    // One that a killed lab left behind goes; a link that somebody laid there is not followed.
    drop(fs::remove_file(&path));
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| Failure::Write { name: path.display().to_string(), source })?;
    Ok(TemporaryFile(path))
}

/// Says how to ask the lab.
fn greeting(scenario: &Scenario, lab: &Lab, hints: &Path) -> String {
    let port = lab.port();
    let root = lab.root_hints().first().map(|(_, address)| address.to_string()).unwrap_or_default();
    let reach = format!("--root-hints {} --dns-port {port} --allow-special-addresses", hints.display());
    let checks: Vec<&Check> = scenario
        .tasks
        .iter()
        .filter_map(|task| match &task.subject {
            Subject::Check(check) => Some(check),
            Subject::Lookup(_) => None,
        })
        .collect();
    let mut text = format!(
        "{} addresses, {} zones and {} domains to check, over UDP and TCP at port {port}. Ctrl-C stops it.\n\nAsk it:\n  \
         dig @{root} -p {port} +norecurse . NS\n",
        scenario.addresses().len(),
        scenario.zones().len(),
        checks.len(),
    );
    if let Some(check) = checks.first() {
        let tokens: String = check.tokens().iter().map(|token| format!(" --token {token}")).collect();
        let zone = check.option("dkim_zone").map(|zone| format!(" --dkim-zone {zone}")).unwrap_or_default();
        let domain = &check.domain;
        text += &format!(
            "  zoneproof lookup {domain} NS --trace {reach}\n  zoneproof check {domain}{tokens}{zone} {reach}\n"
        );
    }
    text
}
