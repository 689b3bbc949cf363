//! Records by servers: who has what.

use std::net::IpAddr;

use crate::cli::style::{Cell, Paint, Style};
use crate::expectation::RecordKind;
use crate::findings::RecordStatus;
use crate::report::{Report, ReportedRecord, ServerReply};

/// The outcomes that count as an answer.
const ANSWERS: [&str; 4] = ["answer", "alias", "nodata", "nxdomain"];
/// The longest data that is quoted, in characters.
const MAX_DATA: usize = 160;

/// How a server has a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Right.
    Right,
    /// Not right.
    Wrong,
    /// It gave no answer.
    Unanswered,
    /// It was not asked.
    NotAsked,
}

/// One server address.
type Server<'a> = (&'a str, IpAddr);

/// Lays out the matrix, the servers that its columns stand for, and what was found instead of what was expected.
pub(super) fn records(report: &Report, style: &Style) -> String {
    let mut servers: Vec<Server<'_>> =
        report.records.iter().flat_map(|record| &record.servers).map(|reply| (&*reply.name, reply.address)).collect();
    servers.sort_unstable();
    servers.dedup();
    let title = style.paint(Paint::Bold, "Records");
    let rows: Vec<Vec<Cell>> = std::iter::once(head(&servers))
        .chain(report.records.iter().map(|record| row(record, &servers, style)))
        .collect();
    let mut text = format!("{title}\n{}", style.table(&rows, 2));
    let signs = style.signs();
    if !servers.is_empty() {
        let legend = format!(
            "{} right  {} not right  {} no answer  {} not asked",
            signs.right, signs.wrong, signs.unanswered, signs.not_asked
        );
        text += &format!("\n  {}", style.paint(Paint::Dim, &legend));
    }
    let details: Vec<String> = report
        .records
        .iter()
        .filter(|record| record.status != RecordStatus::Ok)
        .map(|record| detail(record, &servers, style))
        .collect();
    if !details.is_empty() {
        text += &format!("\n\n{}\n{}", style.paint(Paint::Bold, "Expected and found"), details.join("\n"));
    }
    if !servers.is_empty() {
        text += &format!("\n\n{}\n{}", style.paint(Paint::Bold, "Servers"), server_table(report, &servers, style));
    }
    text
}

/// The heading of the matrix: the numbers of the servers.
fn head(servers: &[Server<'_>]) -> Vec<Cell> {
    let mut cells = vec![Cell::new(None, ""), Cell::new(None, "")];
    cells.extend((1..=servers.len()).map(|number| Cell::new(Some(Paint::Dim), &number.to_string())));
    cells
}

/// One record at all servers.
fn row(record: &ReportedRecord, servers: &[Server<'_>], style: &Style) -> Vec<Cell> {
    let signs = style.signs();
    let mut cells = vec![Cell::new(None, record.kind.as_str()), Cell::new(None, &short_name(record))];
    cells.extend(servers.iter().map(|server| {
        let (paint, sign) = match standing(record, reply_of(record, *server)) {
            Standing::Right => (Paint::Green, signs.right),
            Standing::Wrong => (Paint::Red, signs.wrong),
            Standing::Unanswered => (Paint::Yellow, signs.unanswered),
            Standing::NotAsked => (Paint::Dim, signs.not_asked),
        };
        Cell::new(Some(paint), sign)
    }));
    let (paint, word) = match (record.status, record.code) {
        (RecordStatus::Ok, _) => (Paint::Green, "ok"),
        (RecordStatus::UnableToCheck, _) => (Paint::Yellow, "unable_to_check"),
        (RecordStatus::Inconsistent, code) => (Paint::Yellow, code.map_or("inconsistent", |code| code.as_str())),
        (status, code) => (Paint::Red, code.map_or(status.as_str(), |code| code.as_str())),
    };
    cells.push(Cell::new(Some(paint), word));
    cells
}

/// Returns the name as the zone's panel shows it, or in full where the zone is not known.
fn short_name(record: &ReportedRecord) -> String {
    let zone = record.zone.as_deref().unwrap_or(".");
    let split = record.name.len().checked_sub(zone.len()).and_then(|at| record.name.split_at_checked(at));
    match split {
        Some((front, behind)) if zone != "." && behind.eq_ignore_ascii_case(zone) => match front.strip_suffix('.') {
            Some(front) => front.to_owned(),
            None if front.is_empty() => "@".to_owned(),
            None => record.name.to_string(),
        },
        _ => record.name.to_string(),
    }
}

/// Finds what a server said to a record's question.
fn reply_of<'a>(record: &'a ReportedRecord, server: Server<'_>) -> Option<&'a ServerReply> {
    record.servers.iter().find(|reply| (&*reply.name, reply.address) == server)
}

/// Says how a server has a record.
fn standing(record: &ReportedRecord, reply: Option<&ServerReply>) -> Standing {
    match reply {
        None => Standing::NotAsked,
        Some(reply) if reply.outcome == "not_asked" => Standing::NotAsked,
        Some(reply) if !ANSWERS.contains(&&*reply.outcome) => Standing::Unanswered,
        Some(_) if record.status == RecordStatus::Ok => Standing::Right,
        Some(reply) if is_expected(record, reply) => Standing::Right,
        Some(_) => Standing::Wrong,
    }
}

/// Says whether the data of a reply is what the record should hold.
fn is_expected(record: &ReportedRecord, reply: &ServerReply) -> bool {
    let expected = record.expected.to_ascii_lowercase();
    match record.kind {
        RecordKind::Dkim => {
            reply.outcome == "answer" && matches!(&*reply.data, [one] if one.eq_ignore_ascii_case(&expected))
        }
        RecordKind::Mx | RecordKind::MailFromMx => reply.data.iter().any(|data| is_expected_host(&expected, data)),
        _ => reply.data.iter().any(|data| data.to_ascii_lowercase().contains(&expected)),
    }
}

/// Says whether an MX record names the expected host, whatever its preference; `region` stands for any region.
fn is_expected_host(expected: &str, data: &str) -> bool {
    let host = |data: &str| data.rsplit(' ').next().unwrap_or_default().to_ascii_lowercase();
    let (expected, found) = (host(expected), host(data));
    match expected.split_once("region") {
        Some((front, behind)) => found.starts_with(front) && found.ends_with(behind),
        None => found == expected,
    }
}

/// Says what a record that is not right should hold, what was found, and who says what.
fn detail(record: &ReportedRecord, servers: &[Server<'_>], style: &Style) -> String {
    let dim = |text: &str| Cell::new(Some(Paint::Dim), text);
    let mut rows = vec![vec![dim("expected"), Cell::new(None, &format!("{} {}", record.record_type, record.expected))]];
    rows.extend(record.found.iter().map(|found| {
        let place = if found.name == record.name { String::new() } else { format!(" at {}", found.name) };
        let text = format!("{} {}{place}", found.record_type, shortened(&found.data));
        vec![dim("found"), Cell::new(None, &text)]
    }));
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for (number, server) in (1..).zip(servers) {
        let Some(reply) = reply_of(record, *server).filter(|reply| reply.outcome != "not_asked") else { continue };
        let words = if reply.data.is_empty() {
            reply.outcome.to_string()
        } else {
            format!("{} {}", reply.outcome, shortened(&reply.data.join(", ")))
        };
        match said.iter_mut().find(|(known, _)| *known == words) {
            Some((_, numbers)) => numbers.push(number.to_string()),
            None => said.push((words, vec![number.to_string()])),
        }
    }
    rows.extend(said.into_iter().map(|(words, numbers)| {
        let who = if numbers.len() == servers.len() && numbers.len() > 1 {
            "all say".to_owned()
        } else if numbers.len() == 1 {
            format!("{} says", numbers.concat())
        } else {
            format!("{} say", numbers.join(" "))
        };
        vec![dim(&who), Cell::new(None, &words)]
    }));
    format!("  {} {}\n{}", record.kind.as_str(), record.name, style.table(&rows, 4))
}

/// Cuts data that is long.
fn shortened(data: &str) -> String {
    match data.char_indices().nth(MAX_DATA) {
        Some((end, _)) => format!("{}...", data.get(..end).unwrap_or_default()),
        None => data.to_owned(),
    }
}

/// Lists the servers with their numbers and how fast they are.
fn server_table(report: &Report, servers: &[Server<'_>], style: &Style) -> String {
    let rows: Vec<Vec<Cell>> = (1..)
        .zip(servers)
        .map(|(number, server): (usize, _)| {
            let replies = report.records.iter().filter_map(|record| reply_of(record, *server));
            let answered = replies.filter(|reply| ANSWERS.contains(&&*reply.outcome));
            let fastest = answered.filter_map(|reply| reply.rtt_ms).min_by(f64::total_cmp);
            let (paint, speed) = match fastest {
                Some(milliseconds) => (Paint::Dim, format!("{milliseconds:.1} ms")),
                None => (Paint::Yellow, "no answer".to_owned()),
            };
            vec![
                Cell::new(Some(Paint::Dim), &number.to_string()),
                Cell::new(None, server.0),
                Cell::new(None, &server.1.to_string()),
                Cell::new(Some(paint), &speed),
            ]
        })
        .collect();
    style.table(&rows, 2)
}
