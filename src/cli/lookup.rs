//! `zoneproof lookup`: one question, or a batch of them, from the root down.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::thread;

use futures::stream::{self, StreamExt};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::check::Checker;
use crate::cli::args::LookupArguments;
use crate::cli::engine::{Plan, Source};
use crate::cli::failure::Failure;
use crate::cli::style::printable;
use crate::cli::{NOT_CHECKED, WELL, console};
use crate::dns::name::Name;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::Observation;
use crate::findings::finding::data_of;
use crate::walk::lookup::Lookup;

/// How many lines of standard input are read ahead.
const LINES_AHEAD: usize = 64;

/// How a lookup is shown.
#[derive(Clone, Copy)]
struct Shape {
    /// As JSON.
    is_json: bool,
    /// With every question on the way.
    has_trace: bool,
}

/// A lookup in JSON.
#[derive(Serialize)]
struct Answered {
    /// The name that was asked for; only in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The type that was asked for; only in a batch.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// The response code as a resolver would give it.
    rcode: String,
    /// The records, with the chain of aliases in front.
    answers: Vec<Answer>,
    /// Whether signatures prove all of the answer, from a trust anchor down.
    authenticated: bool,
    /// Why there is no answer.
    reason: Option<&'static str>,
    /// How many questions were asked.
    questions: usize,
    /// What was asked on the way; empty unless wanted.
    trace: Vec<Trace>,
}

/// One record of an answer.
#[derive(Serialize)]
struct Answer {
    /// The owner name.
    name: String,
    /// The type.
    #[serde(rename = "type")]
    kind: String,
    /// The time to live in seconds.
    ttl: u32,
    /// The data in presentation form.
    data: String,
}

/// One question on the way.
#[derive(Serialize)]
struct Trace {
    /// What was asked.
    question: String,
    /// The zone that the server was asked as an authority for.
    zone: String,
    /// The server's name.
    server: String,
    /// The address that was asked.
    address: String,
    /// What came back.
    outcome: Cow<'static, str>,
    /// The data that came back.
    data: Vec<String>,
    /// How long it took in milliseconds.
    rtt_ms: f64,
    /// How the last try travelled.
    transport: String,
}

/// A line of a batch that cannot be read, in JSON.
#[derive(Serialize)]
struct BadLine<'a> {
    /// The number of the line, from 1.
    line: u64,
    /// What is wrong with it.
    error: &'a str,
}

/// Looks up and prints.
pub(super) async fn run(arguments: LookupArguments) -> Result<u8, Failure> {
    let shape = Shape { is_json: arguments.json, has_trace: arguments.trace };
    let question = match (&arguments.name, &arguments.kind) {
        (Some(name), Some(kind)) => Some(read_question(name, kind)?),
        _ => None,
    };
    let plan = Plan::read(&arguments.resolver, source(&arguments))?;
    let engine = plan.start(false).await?;
    let Some(question) = question else {
        return batch(&engine.checker, plan.config.concurrency, shape).await;
    };
    let lookup = engine.checker.lookup(&question).await;
    console::print(&show(&question, &lookup, shape, false))?;
    if lookup.failure.is_some() && !engine.checker.is_root_answering().await {
        console::note(&Failure::NoRoot { port: engine.port }.to_string());
    }
    Ok(WELL)
}

/// Says who is asked.
fn source(arguments: &LookupArguments) -> Source<'static> {
    #[cfg(feature = "lab")]
    if arguments.lab {
        return Source::Lab;
    }
    let _ = arguments;
    Source::Live
}

/// Looks up every line of standard input; results come in the order of the lines.
async fn batch(checker: &Checker, at_once: usize, shape: Shape) -> Result<u8, Failure> {
    let (sender, receiver) = mpsc::channel(LINES_AHEAD);
    thread::spawn(move || {
        for (number, line) in (1_u64..).zip(io::stdin().lock().lines()) {
            let is_blank = line.as_ref().is_ok_and(|line| line.trim().is_empty());
            if !is_blank && sender.blocking_send((number, line)).is_err() {
                return;
            }
        }
    });
    let lines = stream::unfold(receiver, |mut lines| async { lines.recv().await.map(|line| (line, lines)) });
    let results = lines.map(|(number, line)| {
        let checker = checker.clone();
        tokio::spawn(async move {
            let question = line.map_err(|error| error.to_string()).and_then(|line| read_line(&line));
            match question {
                Ok(question) => Ok(show(&question, &checker.lookup(&question).await, shape, true)),
                Err(error) => Err((number, error)),
            }
        })
    });
    let mut results = std::pin::pin!(results.buffered(at_once));
    let mut code = WELL;
    while let Some(result) = results.next().await {
        let text = match result {
            Ok(Ok(text)) => text,
            Ok(Err((number, error))) => {
                code = NOT_CHECKED;
                console::note(&format!("error: line {number}: {error}"));
                let line = BadLine { line: number, error: &error };
                // A number and a text are always written.
                if shape.is_json { serde_json::to_string(&line).unwrap_or_default() + "\n" } else { String::new() }
            }
            Err(error) => return Err(Failure::Runtime(error.into())),
        };
        if !console::print(&text)? {
            break;
        }
    }
    Ok(code)
}

/// Reads a line of a batch.
fn read_line(line: &str) -> Result<Question, String> {
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(name), Some(kind), None) => {
            let question = read_question(name, kind);
            question.map_err(|failure| failure.to_string().trim_start_matches("error: ").to_owned())
        }
        _ => Err(format!("{:?}; expected NAME TYPE", line.trim())),
    }
}

/// Reads a name and a type.
fn read_question(name: &str, kind: &str) -> Result<Question, Failure> {
    let read = if name.is_ascii() { Name::parse(name) } else { Name::from_user_input(name) };
    let name = read.map_err(|source| Failure::Name { text: name.to_owned(), source })?;
    Ok(Question::new(name, kind.parse::<RecordType>()?))
}

/// Writes a lookup.
fn show(question: &Question, lookup: &Lookup, shape: Shape, is_batch: bool) -> String {
    if shape.is_json {
        let answered = Answered {
            name: is_batch.then(|| question.name.to_string()),
            kind: is_batch.then(|| question.kind.to_string()),
            rcode: lookup.rcode.to_string(),
            answers: answers(lookup),
            authenticated: lookup.authenticated,
            reason: lookup.failure.map(|failure| failure.as_str()),
            questions: lookup.trace.len(),
            trace: if shape.has_trace { lookup.trace.iter().map(traced).collect() } else { Vec::new() },
        };
        // Numbers and texts are always written.
        return serde_json::to_string(&answered).unwrap_or_default() + "\n";
    }
    let mut text = String::new();
    if shape.has_trace {
        for step in lookup.trace.iter().map(traced) {
            let Trace { question, zone, server, address, outcome, data, rtt_ms, transport } = step;
            let data = if data.is_empty() { String::new() } else { format!(" {}", data.join(", ")) };
            let line = format!("; {zone} {server} {address}: {question} -> {outcome}{data} ({rtt_ms} ms, {transport})");
            text += &(printable(&line) + "\n");
        }
    }
    let reason = lookup.failure.map(|failure| format!(" ({})", failure.as_str())).unwrap_or_default();
    let count = lookup.trace.len();
    text += &format!("; {question}: {}{reason}, {count} questions\n", lookup.rcode);
    for Answer { name, kind, ttl, data } in answers(lookup) {
        text += &(printable(&format!("{name} {ttl} IN {kind} {data}")) + "\n");
    }
    text
}

/// Writes the records of an answer.
fn answers(lookup: &Lookup) -> Vec<Answer> {
    let answer = |record: &crate::dns::rrset::Record| Answer {
        name: record.owner.to_string(),
        kind: record.kind().to_string(),
        ttl: record.ttl.seconds(),
        data: record.rdata.to_string(),
    };
    lookup.answers.iter().map(answer).collect()
}

/// Writes one question on the way.
fn traced((question, seen): &(Question, Observation)) -> Trace {
    Trace {
        question: question.to_string(),
        zone: seen.zone.to_string(),
        server: seen.server.to_string(),
        address: seen.address.to_string(),
        outcome: seen.outcome_word(),
        data: data_of(seen),
        rtt_ms: (seen.rtt.as_secs_f64() * 10_000.0).round() / 10.0,
        transport: seen.protocol.to_string(),
    }
}
