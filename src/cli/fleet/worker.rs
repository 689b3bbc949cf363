//! `zoneproof worker`: keeps the stored fleet's verification true, with as many others as there are.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use super::args::WorkerArguments;
use super::{Remarks, change, open};
use crate::cli::args::Requirement;
#[cfg(feature = "ses")]
use crate::cli::engine::Engine;
use crate::cli::engine::{Plan, Source};
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupts;
#[cfg(feature = "ses")]
use crate::cli::ses::BesideSes;
#[cfg(feature = "ses")]
use crate::cli::ses::args::SesArguments;
use crate::cli::{WELL, console};
use crate::expectation::Depth;
use crate::service::feed::Feed;
use crate::service::monitor::{Monitor, News, Settings, Tally, Until};
use crate::service::webhooks::courier::Courier;
use crate::service::webhooks::post::post_for_ever;
use crate::store::Store;
use crate::transport::guard::AddressPolicy;

/// Works until told to end, or until nothing is due.
pub(in crate::cli) async fn run(arguments: WorkerArguments) -> Result<u8, Failure> {
    let plan = Plan::read(&arguments.resolver, source(&arguments))?;
    let store = open(&arguments.database.database).await?;
    let engine = super::start(&plan, &arguments.database.database, &store).await?;
    let mut interrupts = Interrupts::listen()?;
    #[cfg(feature = "ses")]
    let beside = beside(&arguments, &plan, &engine).await?;
    #[cfg(feature = "ses")]
    let feed = match &beside {
        Some(beside) => {
            let client = Arc::new(beside.client(None).await?);
            Some(Feed::new(Arc::clone(&store), client, arguments.ses.create_identities))
        }
        None => None,
    };
    // This build has no client for Amazon SES.
    #[cfg(not(feature = "ses"))]
    let feed: Option<Feed> = None;
    if let Some(feed) = feed.as_ref().filter(|_| arguments.once)
        && let Some(error) = feed.pass().await?.trouble
    {
        console::note(&format!("{error}; what is known of Amazon SES stays"));
    }
    let settings = Settings {
        at_once: plan.config.concurrency,
        depth: plan.config.depth.unwrap_or(Depth::Quick),
        required: Requirement::kinds(&arguments.require),
        region: feed.as_ref().map(|feed| feed.region().to_owned()),
        until: if arguments.once { Until::NothingIsDue } else { Until::Stopped },
    };
    let checker = engine.checker.clone();
    let monitor = Monitor::new(Arc::clone(&store), engine.checker.clone(), settings);
    let monitor = monitor.with_term(Duration::from_secs(arguments.term.lease_seconds));
    #[cfg(feature = "ses")]
    let monitor = match feed.filter(|_| !arguments.once) {
        Some(feed) => monitor.with_feed(feed, Duration::from_secs(arguments.ses.ses_every)),
        None => monitor,
    };
    let posting = start_posting(&arguments, &plan, &store)?;
    let stop = async {
        interrupts.next().await;
        console::note("ending: what is under way is finished or let go of; a second signal ends at once");
    };
    let remarks = Remarks::default();
    let worked = monitor.run(stop, move |news| tell(&remarks, &news)).await;
    if let Some(posting) = posting {
        posting.abort();
    }
    let Tally { written, fenced, rescued, .. } = worked?;
    console::note(&format!("{written} results written, {fenced} refused, {rescued} shards taken over"));
    let counted = checker.metrics().to_string();
    if !counted.is_empty() {
        console::note(&format!("counted: {counted}"));
    }
    Ok(WELL)
}

/// Prints what changed, and notes the rest.
fn tell(remarks: &Remarks, news: &News) {
    match news {
        News::Finished(finished) => {
            if let Some(line) = change(finished) {
                // Nobody is left to be told where the pipe is closed; the work goes on.
                drop(writeln!(std::io::stdout().lock(), "{line}"));
            }
        }
        News::Shards { .. } | News::Rescued(_) | News::Trouble(_) => {
            if let Some(line) = remarks.line(news) {
                console::note(&line);
            }
        }
    }
}

/// Starts to post webhooks, unless another worker does.
fn start_posting(
    arguments: &WorkerArguments,
    plan: &Plan,
    store: &Arc<dyn Store>,
) -> Result<Option<tokio::task::JoinHandle<()>>, Failure> {
    if arguments.no_webhooks || arguments.once {
        return Ok(None);
    }
    let policy = policy(plan.config.allow_special_addresses);
    let courier = Courier::new(policy).map_err(Failure::Certificates)?;
    let store = Arc::clone(store);
    Ok(Some(tokio::spawn(async move {
        let trouble = |text: String| console::note(&format!("webhooks: {text}; trying again"));
        if let Err(error) = post_for_ever(store, courier, trouble).await {
            console::note(&format!("error: webhooks are no longer posted: {error}"));
        }
    })))
}

/// Returns which addresses are asked.
pub(super) fn policy(allows_special: bool) -> AddressPolicy {
    if allows_special { AddressPolicy::allowing_special() } else { AddressPolicy::public() }
}

/// Says who is asked.
fn source(arguments: &WorkerArguments) -> Source<'static> {
    #[cfg(feature = "lab")]
    if arguments.lab {
        return Source::Lab;
    }
    let _ = arguments;
    Source::Live
}

/// Prepares to ask Amazon SES, the lab's where the DNS is the lab's; `None` where it is not wanted.
#[cfg(feature = "ses")]
async fn beside(arguments: &WorkerArguments, plan: &Plan, engine: &Engine) -> Result<Option<Arc<BesideSes>>, Failure> {
    let ses = SesArguments { ses: arguments.ses.ses, ses_qps: arguments.ses.ses_qps };
    BesideSes::start(&ses, arguments.ses.region.as_deref(), plan, engine).await
}
