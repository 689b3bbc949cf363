//! `zoneproof records`: what to publish for one domain.

use crate::cli::args::{KnownArguments, RecordsArguments, RecordsFormat};
use crate::cli::check::{expectation_of, facts_of};
use crate::cli::engine::{Plan, Source};
use crate::cli::failure::Failure;
use crate::cli::{WELL, console};
use crate::evidence::Evidence;
use crate::expectation::{Expectation, Expected, ExpectedRecord};
use crate::providers::{Provider, catalogue};
use crate::remedy::publish::{self, Publication};

/// Prints the records.
pub(super) async fn run(arguments: RecordsArguments) -> Result<u8, Failure> {
    let provider = arguments.provider.as_deref().map(find).transpose()?;
    let plan = Plan::read(&arguments.resolver, source(&arguments))?;
    let expectation = expect(&arguments, &plan)?;
    let publication = match provider {
        Some(provider) => Publication::new(&expectation, &Evidence::new(String::new())).at(provider),
        None => {
            let engine = plan.start(false).await?;
            let publication = Publication::new(&expectation, &engine.checker.locate(&expectation).await);
            if !publication.is_placed() {
                console::note("note: nobody says who serves this domain; the words are those of most DNS providers");
            }
            publication
        }
    };
    let publication = if arguments.dkim_only { publication.without_suggestions() } else { publication };
    let write = match arguments.format {
        RecordsFormat::Text => publish::text,
        RecordsFormat::Bind => publish::bind,
        RecordsFormat::Terraform => publish::terraform,
        RecordsFormat::Route53 => publish::route53,
        RecordsFormat::Cloudflare => publish::cloudflare,
    };
    console::print(&write(&publication))?;
    if matches!(arguments.format, RecordsFormat::Route53 | RecordsFormat::Cloudflare) {
        for name in publication.names_elsewhere() {
            console::note(&format!("note: {name} lies in another zone and is left out"));
        }
    }
    Ok(WELL)
}

/// Says who is asked.
fn source(arguments: &RecordsArguments) -> Source<'static> {
    #[cfg(feature = "lab")]
    if arguments.lab {
        return Source::Lab;
    }
    let _ = arguments;
    Source::Live
}

/// Says which records the domain should have; the lab fills in what is known of it where no token was typed.
///
/// Without a region nobody knows which hosts the MX records have to name.
fn expect(arguments: &RecordsArguments, plan: &Plan) -> Result<Expectation, Failure> {
    let typed = KnownArguments {
        region: arguments.region.clone(),
        mail_from: arguments.mail_from.clone(),
        inbound: arguments.inbound,
        selector: arguments.selector.clone(),
        public_key: arguments.public_key.clone(),
        previous_tokens: Vec::new(),
        previous_ns: Vec::new(),
        dns_provider: None,
    };
    let zone = arguments.dkim_zone.as_deref();
    let expectation = expectation_of(&facts_of(&arguments.domain, &arguments.tokens, zone, &typed, plan)?, plan)?;
    let names_host = |record: &ExpectedRecord| matches!(record.expected, Expected::Exchange(_));
    if expectation.region.is_none() && expectation.records.iter().any(names_host) {
        let need = "the MX record names a host of the identity's AWS region; tell it with --region";
        return Err(Failure::Usage(need.to_owned()));
    }
    Ok(expectation)
}

/// Finds a provider by its id, or names those whose id or name is like it.
fn find(word: &str) -> Result<&'static Provider, Failure> {
    let id = word.trim().to_ascii_lowercase().replace([' ', '-', '.'], "_");
    catalogue().get(&id).ok_or_else(|| {
        let is_like = |provider: &&Provider| provider.id.contains(&id) || id.contains(&provider.id);
        let near: Vec<&str> = catalogue().iter().filter(is_like).map(|provider| provider.id.as_str()).take(3).collect();
        let hint = if near.is_empty() { String::new() } else { format!(" (near: {})", near.join(", ")) };
        Failure::Provider(word.to_owned(), hint)
    })
}
