//! `zoneproof ses`: what Amazon SES says of a domain, and having it look again.

pub(super) mod args;
mod beside;

use std::fs;
use std::path::Path;

use self::args::{IdentityArguments, SesCommand};
use crate::cli::args::ColorChoice;
use crate::cli::failure::Failure;
use crate::cli::style::{Cell, Paint, Style, printable};
use crate::cli::{NOT_READY, WELL, console};
use crate::dns::name::Name;
use crate::ses::client::{AwsIdentities, AwsSettings, Identities, PrivateKey, SesError};
use crate::ses::identity::{SesIdentity, SesStatus};
use crate::ses::restart::{RestartOptions, Restarted, restart};
pub(super) use beside::BesideSes;

/// Does what was typed.
pub(super) async fn run(command: SesCommand, color: ColorChoice) -> Result<u8, Failure> {
    match command {
        SesCommand::Show { identity, json } => show(&identity, json, &Style::of_stdout(color)).await,
        SesCommand::Restart { identity, discard_tokens, private_key } => {
            let private_key = private_key.as_deref().map(read_key).transpose()?;
            look_again(&identity, &RestartOptions { discard_tokens, private_key }).await
        }
    }
}

/// Prints an identity.
async fn show(arguments: &IdentityArguments, json: bool, style: &Style) -> Result<u8, Failure> {
    let Some((_, identity)) = find(arguments).await? else { return Ok(NOT_READY) };
    let text = if json {
        serde_json::to_string(&identity).map(|json| json + "\n").map_err(|error| Failure::stdout(error.into()))?
    } else {
        lay_out(&identity, style)
    };
    console::print(&text)?;
    Ok(WELL)
}

/// Has SES look again.
async fn look_again(arguments: &IdentityArguments, options: &RestartOptions) -> Result<u8, Failure> {
    let Some((client, identity)) = find(arguments).await? else { return Ok(NOT_READY) };
    let domain = identity.name.to_text_without_dot();
    let done = restart(&client, &identity, options).await?;
    let text = match done {
        Restarted::NotNeeded => format!("{domain}: SES has verified it and signs; nothing was done\n"),
        Restarted::SwitchedOn => format!("{domain}: signing is switched on\n"),
        Restarted::Kept(answer) => {
            format!("{domain}: SES looks for the same DKIM records again, for 72 hours ({})\n", answer.status.as_str())
        }
        Restarted::Changed(answer) => {
            let zone = answer.signing_hosted_zone.as_ref().map(Name::to_text_without_dot);
            format!(
                "{domain}: SES looks again, and has changed the tokens; {}",
                to_publish(&domain, &answer.tokens, zone)
            )
        }
        Restarted::MadeAgain(made) => {
            let zone = made.signing_hosted_zone.as_ref().map(Name::to_text_without_dot);
            format!("{domain}: the identity was made again; {}", to_publish(&domain, &made.tokens, zone))
        }
    };
    console::print(&printable(&text))?;
    Ok(WELL)
}

/// Reads an identity; says on standard error where there is none.
async fn find(arguments: &IdentityArguments) -> Result<Option<(AwsIdentities, SesIdentity)>, Failure> {
    let name = Name::from_user_input(&arguments.domain)
        .map_err(|source| crate::expectation::ExpectationError::Domain { text: arguments.domain.clone(), source })?;
    let settings = AwsSettings { region: arguments.region.clone(), ..AwsSettings::default() };
    let client = AwsIdentities::connect(&settings).await?;
    match client.get(&name).await {
        Ok(identity) => Ok(Some((client, identity))),
        Err(SesError::NotFound(domain)) => {
            console::note(&format!("SES has no identity {domain} in {}", client.region()));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Says how to find out which records to publish.
fn to_publish(domain: &str, tokens: &[String], zone: Option<String>) -> String {
    let tokens: String = tokens.iter().map(|token| format!(" --token {token}")).collect();
    let zone = zone.map(|zone| format!(" --dkim-zone {zone}")).unwrap_or_default();
    format!("publish other records:\n  zoneproof records {domain}{tokens}{zone}\n")
}

/// Reads a private key, without the armour of PEM.
fn read_key(path: &Path) -> Result<PrivateKey, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::read(path, source))?;
    Ok(PrivateKey(text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect()))
}

/// Lays an identity out for people.
fn lay_out(identity: &SesIdentity, style: &Style) -> String {
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let paint = |status: SesStatus| match status {
        SesStatus::Success => Paint::Green,
        SesStatus::Pending | SesStatus::TemporaryFailure => Paint::Yellow,
        SesStatus::Failed | SesStatus::NotStarted => Paint::Red,
        SesStatus::Unknown => Paint::Dim,
    };
    let mut rows: Vec<(&str, Option<Paint>, String)> = vec![
        ("Region", None, identity.region.clone()),
        ("DKIM", Some(paint(identity.dkim_status)), identity.dkim_status.as_str().to_owned()),
        ("Identity", Some(paint(identity.verification_status)), identity.verification_status.as_str().to_owned()),
        ("Sends", None, yes(identity.sending)),
        ("Signs", None, yes(identity.signing_enabled)),
        ("Keys from", None, identity.origin.word()),
    ];
    if !identity.tokens.is_empty() {
        rows.push(("Tokens", None, identity.tokens.join(" ")));
    }
    if let Some(zone) = &identity.signing_hosted_zone {
        rows.push(("DKIM zone", None, zone.to_text_without_dot()));
    }
    if let Some(mail_from) = &identity.mail_from {
        let name = mail_from.domain.to_text_without_dot();
        rows.push(("MAIL FROM", Some(paint(mail_from.status)), format!("{name} {}", mail_from.status.as_str())));
    }
    if let Some(info) = &identity.verification_info {
        rows.extend(info.last_checked_at.map(|at| ("Last look", None, at.to_string())));
        rows.extend(info.last_success_at.map(|at| ("Last success", None, at.to_string())));
        rows.extend(info.error.map(|error| ("Error", Some(Paint::Red), error.as_str().to_owned())));
        rows.extend(info.soa.as_ref().map(|soa| ("Zone seen", None, format!("{} {}", soa.primary, soa.serial))));
    }
    let cells = |(title, paint, text): (&str, Option<Paint>, String)| {
        vec![Cell::new(Some(Paint::Dim), title), Cell::new(paint, &printable(&text))]
    };
    let head = style.paint(Paint::Bold, &identity.name.to_text_without_dot());
    format!("{head}\n{}\n", style.table(&rows.into_iter().map(cells).collect::<Vec<_>>(), 2))
}
