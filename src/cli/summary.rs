//! How a bulk run came out, for people.

use std::cmp::Reverse;
use std::time::Duration;

use crate::bulk::Tally;
use crate::bulk::tally::VERDICTS;
use crate::metrics::{Event, Snapshot};

/// How many providers are named; the rest is one line.
const MAX_PROVIDERS: usize = 15;
/// How wide names are at least, so that the tables stand in line: the longest code.
const NAME_WIDTH: usize = 24;

/// Sums a run up: by verdict, code and provider, what it took and what it cost.
pub(super) fn text(tally: &Tally, earlier: u64, elapsed: Duration) -> String {
    let rows = tally.rows.saturating_sub(earlier);
    let seconds = elapsed.as_secs_f64();
    let mut text = format!("{} in {seconds:.1} s", count(rows, "row"));
    if seconds > 0.0 && rows > 0 {
        // A rate for people: what is lost beyond 53 bits does not show.
        #[expect(clippy::cast_precision_loss, reason = "a rate of one decimal place")]
        let rate = rows as f64 / seconds;
        text += &format!(" ({rate:.1} a second)");
    }
    if earlier > 0 {
        text += &format!(", {earlier} from earlier runs");
    }
    text += &format!("; {} in all\n", count(tally.questions, "question"));
    let mut verdicts: Vec<(String, String, String)> = VERDICTS
        .iter()
        .filter(|verdict| tally.of(**verdict) > 0)
        .map(|verdict| (verdict.as_str().to_owned(), tally.of(*verdict).to_string(), String::new()))
        .collect();
    if tally.bad_rows > 0 {
        verdicts.push(("bad row".to_owned(), tally.bad_rows.to_string(), String::new()));
    }
    text += &table(["Verdict", "rows", ""], &verdicts);
    let with_ses = tally.ses.iter().map(|(one, rows)| (one.as_str().to_owned(), rows.to_string(), String::new()));
    text += &table(["With Amazon SES", "rows", ""], &with_ses.collect::<Vec<_>>());
    let mut codes: Vec<_> = tally.codes.iter().collect();
    codes.sort_by_key(|(code, (causes, domains))| (Reverse(*causes), Reverse(*domains), **code));
    let codes: Vec<_> = codes
        .into_iter()
        .map(|(code, (causes, domains))| (code.as_str().to_owned(), domains.to_string(), causes.to_string()))
        .collect();
    text += &table(["Code", "domains", "root cause"], &codes);
    text += &table(["Provider", "domains", "ready"], &providers(tally));
    text
}

/// Lists what was counted and happened at all, with what it means.
pub(super) fn counters(snapshot: &Snapshot) -> String {
    let line =
        |(event, count): (Event, u64)| format!("  {:NAME_WIDTH$}  {count:>8}  {}\n", event.word(), event.meaning());
    let lines: String = snapshot.iter().map(line).collect();
    format!("\n  {:NAME_WIDTH$}  {:>8}\n{lines}", "Counted", "times")
}

/// Lists the providers, those with the most domains first.
fn providers(tally: &Tally) -> Vec<(String, String, String)> {
    let mut providers: Vec<_> = tally.providers.iter().collect();
    providers.sort_by_key(|(id, (_, domains))| (Reverse(*domains), (*id).clone()));
    let row = |(id, (ready, domains)): &(&String, &(u64, u64))| ((*id).clone(), domains.to_string(), ready.to_string());
    let mut rows: Vec<_> = providers.iter().take(MAX_PROVIDERS).map(row).collect();
    let rest = providers.iter().skip(MAX_PROVIDERS).map(|(_, counts)| **counts);
    let (ready, domains) = rest.fold((0, 0), |sum, (ready, domains)| (sum.0 + ready, sum.1 + domains));
    if domains > 0 {
        rows.push(("others".to_owned(), domains.to_string(), ready.to_string()));
    }
    rows
}

/// Lays rows out below a heading; nothing where there are none.
fn table(heading: [&str; 3], rows: &[(String, String, String)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let [first, second, third] = heading;
    let width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or_default().max(NAME_WIDTH);
    let line = |name: &str, one: &str, other: &str| {
        format!("  {name:width$}  {one:>8}  {other:>10}").trim_end().to_owned() + "\n"
    };
    let lines: String = rows.iter().map(|(name, one, other)| line(name, one, other)).collect();
    "\n".to_owned() + &line(first, second, third) + &lines
}

/// Writes a number with its noun.
fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::tally::Gist;
    use crate::findings::Code;
    use crate::report::{SesOutcome, Verdict};

    #[test]
    fn a_run_is_summed_up_by_verdict_code_and_provider() {
        let mut tally = Tally::default();
        for row in 1..=4 {
            tally.add(&Gist {
                row,
                verdict: Some(if row == 1 { Verdict::Ready } else { Verdict::Failing }),
                root_cause: (row > 1).then_some(Code::HostDoubled),
                codes: if row > 1 { vec![Code::HostDoubled, Code::SpfAbsent] } else { vec![Code::DmarcAbsent] },
                provider: Some(if row < 4 { "godaddy" } else { "route53" }.to_owned()),
                ses: Some(if row == 1 { SesOutcome::Verified } else { SesOutcome::WillBeLost }),
                questions: 10,
                error: None,
            });
        }
        tally.add(&Gist { row: 5, error: Some("bad".to_owned()), ..Gist::default() });
        insta::assert_snapshot!(text(&tally, 1, Duration::from_millis(2500)), @r"
        4 rows in 2.5 s (1.6 a second), 1 from earlier runs; 40 questions in all

          Verdict                       rows
          ready                            1
          failing                          3
          bad row                          1

          With Amazon SES               rows
          verified                         1
          will_be_lost                     3

          Code                       domains  root cause
          host_doubled                     3           3
          spf_absent                       3           0
          dmarc_absent                     1           0

          Provider                   domains       ready
          godaddy                          3           1
          route53                          1           0
        ");
    }
}
