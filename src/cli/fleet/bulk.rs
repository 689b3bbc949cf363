//! `zoneproof bulk --database`: checks what is due or listed, writes it back, and prints what changed.
//!
//! A run is a row of the database: each of its domains gets exactly one final result, whatever dies on the way. The same
//! command goes on with a run that was cut off, and several at once share it.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Remarks, change, open};
use crate::bulk::tally::Gist;
use crate::bulk::{Item, Row, Tally};
use crate::cli::args::{BulkArguments, Requirement};
use crate::cli::bulk_input::Input;
#[cfg(feature = "ses")]
use crate::cli::engine::Engine;
use crate::cli::engine::Plan;
use crate::cli::failure::Failure;
use crate::cli::interrupt::Interrupts;
use crate::cli::progress::Progress;
#[cfg(feature = "ses")]
use crate::cli::ses::BesideSes;
use crate::cli::{bulk, console, summary};
use crate::dns::name::Name;
use crate::expectation::Depth;
#[cfg(feature = "ses")]
use crate::service::feed::Feed;
use crate::service::monitor::{Monitor, News, Settings, Until};
use crate::service::operator::provisional_shard;
use crate::store::{Added, DomainFilter, DomainId, Enlist, IfKnown, NewDomain, Run, RunId, Store};

/// How many rows are added, and results read, at a time.
const PAGE: usize = 500;
/// What stands for a run over what is due.
const DUE: &str = "due";

/// What is shown of a run while it goes.
struct Shown {
    /// The bar.
    progress: Progress,
    /// The results of this process.
    tally: Tally,
    /// What there is to tell besides.
    remarks: Remarks,
}

/// Checks the rows of the input, or else what is due.
pub(in crate::cli) async fn run(arguments: BulkArguments, plan: Plan, url: &str) -> Result<u8, Failure> {
    let started = Instant::now();
    let store = open(url).await?;
    let engine = super::start(&plan, url, &store).await?;
    if !engine.checker.is_root_answering().await {
        return Err(Failure::NoRoot { port: engine.port });
    }
    let has_input = arguments.file.is_some() || plan.scenario_name().is_some();
    let (run, bad_rows) = if has_input {
        let input = Input::open(&arguments, &plan)?;
        let digest =
            input.fingerprint.as_ref().map_or_else(|| RunId::random().to_string(), |print| format!("{print:?}"));
        let run = store.begin_run(&digest, store.now().await?).await?;
        let bad_rows = add_rows(store.as_ref(), &run, input, needs_tokens(&arguments)).await?;
        (run, bad_rows)
    } else {
        let now = store.now().await?;
        let run = store.begin_run(DUE, now).await?;
        let due = DomainFilter { due_by: Some(now), ..DomainFilter::default() };
        store.enlist(&run.id, &Enlist::Matching(due)).await?;
        (run, 0)
    };
    let mut interrupts = Interrupts::listen()?;
    let standing = store.run(&run.id).await?.unwrap_or(run);
    #[cfg(feature = "ses")]
    let (_beside, region) = ask_ses(&arguments, &plan, &engine, &store).await?;
    #[cfg(not(feature = "ses"))]
    let region = None;
    let settings = Settings {
        at_once: plan.config.concurrency,
        depth: plan.config.depth.unwrap_or(Depth::Quick),
        required: Requirement::kinds(&arguments.require),
        region,
        until: Until::RunIsDone(standing.id.clone()),
    };
    let is_shared = console::is_stdout_terminal();
    let progress = Progress::start(Some(standing.domains), standing.done, is_shared);
    let shown = Arc::new(Mutex::new(Shown {
        progress,
        tally: Tally { rows: standing.done, ..Tally::default() },
        remarks: Remarks::default(),
    }));
    let told = Arc::clone(&shown);
    let term = Duration::from_secs(arguments.term.lease_seconds);
    let monitor = Monitor::new(Arc::clone(&store), engine.checker.clone(), settings).with_term(term);
    let (mut interrupted, stop) = (None, interrupts.next());
    let stop = async { interrupted = Some(stop.await) };
    let worked = monitor.run(stop, move |news| tell(&told, &news)).await;
    shown.lock().unwrap_or_else(PoisonError::into_inner).progress.clear();
    worked?;
    if let Some(code) = interrupted {
        console::note("interrupted; the same command goes on with the run");
        return Ok(code);
    }
    store.finish_run(&standing.id, store.now().await?).await?;
    let mut tally = results(store.as_ref(), &standing.id).await?;
    tally.bad_rows += bad_rows;
    tally.rows += bad_rows;
    console::note(summary::text(&tally, standing.done, started.elapsed()).trim_end());
    if arguments.stats {
        console::note(summary::counters(&engine.checker.metrics()).trim_end());
    }
    Ok(bulk::exit_code(&tally))
}

/// Adds the rows of an input to the fleet and to a run; returns how many could not be read, each told.
///
/// Where SES is asked a domain alone will do: its tokens are what SES says.
async fn add_rows(store: &dyn Store, run: &Run, input: Input, needs_tokens: bool) -> Result<u64, Failure> {
    let mut bad_rows = 0;
    let mut batch = Vec::with_capacity(PAGE);
    for item in input.rows {
        match item {
            Item::Row(row) => match name_of(&row, needs_tokens) {
                Ok(name) => {
                    let mut domain = new_domain(name, row.facts);
                    domain.tenant = row.tenant;
                    batch.push(domain);
                }
                Err(error) => {
                    bad_rows += 1;
                    console::note(&format!("error: row {} (line {}): {error}", row.number, row.line));
                }
            },
            Item::Bad { row, line, error } => {
                bad_rows += 1;
                console::note(&format!("error: row {row} (line {line}): {error}"));
            }
            Item::Ignored(columns) => console::note(&format!("note: not used: {}", columns.join(", "))),
            Item::Broken(error) => {
                return Err(Failure::Read { path: input.path.unwrap_or_default(), source: error });
            }
        }
        if batch.len() >= PAGE {
            add(store, run, &mut batch).await?;
        }
    }
    add(store, run, &mut batch).await?;
    Ok(bad_rows)
}

/// Reads the domain of a row that can be checked.
fn name_of(row: &Row, needs_tokens: bool) -> Result<Name, String> {
    match row.expectation() {
        Ok(expectation) => Ok(expectation.domain),
        Err(error) if needs_tokens => Err(error),
        Err(_) => Name::from_user_input(&row.facts.domain).map_err(|error| error.to_string()),
    }
}

/// Describes a domain that nobody has looked at yet; it is due when it is added.
fn new_domain(name: Name, asked: crate::expectation::Facts) -> NewDomain {
    let operator_shard = provisional_shard(&name);
    NewDomain { tenant: None, name, asked, operator_shard, due_at: None }
}

/// Adds some domains to the fleet and to a run.
async fn add(store: &dyn Store, run: &Run, batch: &mut Vec<NewDomain>) -> Result<(), Failure> {
    if batch.is_empty() {
        return Ok(());
    }
    let now = store.now().await?;
    for domain in batch.iter_mut() {
        domain.due_at = Some(now);
    }
    let added: Vec<Added> = store.add_domains(batch, IfKnown::Update, now).await?;
    let ids: Vec<DomainId> = added.into_iter().map(|added| added.id).collect();
    store.enlist(&run.id, &Enlist::These(ids)).await?;
    batch.clear();
    Ok(())
}

/// Counts the final results of a run, those of other processes too.
async fn results(store: &dyn Store, run: &RunId) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut after: Option<DomainId> = None;
    let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
    loop {
        let page = store.run_results(run, after.as_ref(), limit).await?;
        let Some(last) = page.last() else { return Ok(tally) };
        after = Some(last.domain.clone());
        for result in &page {
            let bare = || Gist {
                verdict: Some(result.summary.verdict),
                root_cause: result.summary.root_cause,
                questions: result.summary.questions,
                ..Gist::default()
            };
            tally.add(&result.report.as_ref().map_or_else(bare, Gist::of));
        }
    }
}

/// Prints what changed, notes the rest, and moves the bar.
fn tell(shown: &Mutex<Shown>, news: &News) {
    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    if let News::Finished(finished) = news {
        shown.tally.add(&Gist::of(&finished.outcome.report));
        if let Some(line) = change(finished) {
            // Nobody is left to be told where the pipe is closed; the work goes on.
            drop(writeln!(std::io::stdout().lock(), "{line}"));
        }
        shown.progress.show(&shown.tally);
    } else if let Some(line) = shown.remarks.line(news).filter(|_| !matches!(news, News::Shards { .. })) {
        shown.progress.note(&line);
    }
}

/// Says whether a row must name its tokens.
fn needs_tokens(arguments: &BulkArguments) -> bool {
    #[cfg(feature = "ses")]
    return !arguments.ses.ses;
    #[cfg(not(feature = "ses"))]
    {
        let _ = arguments;
        true
    }
}

/// Asks Amazon SES of the whole fleet, where it is wanted; returns what must live as long as the run, and the region.
#[cfg(feature = "ses")]
async fn ask_ses(
    arguments: &BulkArguments,
    plan: &Plan,
    engine: &Engine,
    store: &Arc<dyn Store>,
) -> Result<(Option<Arc<BesideSes>>, Option<String>), Failure> {
    let Some(beside) = BesideSes::start(&arguments.ses, arguments.region.as_deref(), plan, engine).await? else {
        return Ok((None, None));
    };
    let feed = Feed::new(Arc::clone(store), Arc::new(beside.client(None).await?), false);
    if let Some(error) = feed.pass().await?.trouble {
        console::note(&format!("{error}; what is known of Amazon SES stays"));
    }
    let region = feed.region().to_owned();
    Ok((Some(beside), Some(region)))
}
