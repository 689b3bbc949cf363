//! The commands over a stored fleet, against a lab that the program brings along.

use std::fs;

use super::{SCENARIO, refuses, run_in};

/// The database.
const DATABASE: [&str; 2] = ["--database", "sqlite:fleet.db"];

/// Runs the program over the database in a folder; returns its exit code and what it printed.
fn run(folder: &tempfile::TempDir, words: &[&str]) -> (Option<i32>, String, String) {
    let output = run_in(folder.path(), &[words, &DATABASE].concat());
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Finds the count behind a word in a summary.
fn count(text: &str, word: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(word))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
#[cfg(feature = "lab")]
fn a_fleet_is_added_checked_told_and_not_checked_again_before_it_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let (code, changes, summary) = run(&folder, &["bulk", "--lab"]);
    assert_eq!(code, Some(1), "{summary}");
    let domains = changes.lines().count();
    assert!(domains > 300, "{domains}");
    assert!(changes.lines().any(|line| line.contains(": ready, verified")), "{changes}");
    assert!(changes.lines().any(|line| line.contains(": failing (host_doubled)")), "{changes}");
    let (code, page, _) = run(&folder, &["report"]);
    assert_eq!((code, page.lines().next()), (Some(0), Some(format!("{domains} domains").as_str())));
    let (ready, verified) = (count(&page, "ready"), count(&page, "verified"));
    assert!(ready > Some(200) && ready == verified, "{page}");
    assert_eq!(count(&page, "hour"), u64::try_from(domains).ok(), "{page}");
    // The same input again: every domain has its result of this run, and nothing changed.
    let (code, changes, _) = run(&folder, &["bulk", "--lab"]);
    assert_eq!((code, changes.as_str()), (Some(1), ""));
    let (_, csv, _) = run(&folder, &["report", "--format", "csv", "--state", "verified"]);
    assert_eq!(csv.lines().count(), usize::try_from(verified.unwrap()).unwrap() + 1);
    assert!(csv.starts_with("id,tenant,domain,state,verdict,root_cause,"), "{csv}");
    let (_, json, _) = run(&folder, &["report", "--format", "jsonl", "--provider", "hetzner"]);
    for line in json.lines() {
        let domain: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&domain["provider"], &domain["report"]["schema"]), (&"hetzner".into(), &1.into()), "{line}");
    }
    assert!(json.lines().count() > 5);
}

#[test]
#[cfg(all(feature = "lab", feature = "ses"))]
fn the_whole_loop_runs_on_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, told) = run(&folder, &["bulk", "--lab", "--ses"]);
    assert_eq!(code, Some(1), "{told}");
    let (_, before, _) = run(&folder, &["report"]);
    assert!(count(&before, "verified") > Some(100), "{before}");
    // The same Internet and the same SES again, at other ports: what is verified is not due, and what is due may only gain.
    let (code, _, told) = run(&folder, &["worker", "--once", "--lab", "--ses"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("counted: checks ") && told.contains("datagrams_sent "), "{told}");
    let (_, after, _) = run(&folder, &["report"]);
    assert!(count(&after, "verified") >= count(&before, "verified"), "{before}\n{after}");
}

#[test]
fn a_worker_that_finds_nothing_due_ends_when_it_is_to_work_once() {
    let folder = tempfile::tempdir().unwrap();
    let (code, changes, told) = run(&folder, &["worker", "--once"]);
    assert_eq!((code, changes.as_str()), (Some(0), ""), "{told}");
    assert!(told.contains("0 results written, 0 refused, 0 shards taken over"), "{told}");
}

#[test]
fn webhooks_are_added_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let add = ["webhooks", "add", "https://hooks.example.com/a", "--tenant", "acme", "--on", "lost,degraded"];
    let (code, added, _) = run(&folder, &add);
    assert_eq!(code, Some(0));
    let (line, secret) = added.split_once('\n').unwrap();
    assert!(secret.starts_with("secret whsec_"), "{added}");
    let (_, list, _) = run(&folder, &["webhooks", "list"]);
    assert_eq!(list, format!("{line}\n"), "the secret is not told again");
    assert!(line.ends_with("https://hooks.example.com/a tenant acme on lost,degraded"), "{line}");
    let (_, dead, _) = run(&folder, &["webhooks", "dead"]);
    let (_, replayed, _) = run(&folder, &["webhooks", "replay"]);
    assert_eq!((dead.as_str(), replayed.as_str()), ("", "0 messages are posted again\n"));
    let id = line.split(' ').next().unwrap();
    assert_eq!(run(&folder, &["webhooks", "remove", id]).0, Some(0));
    assert_eq!(run(&folder, &["webhooks", "remove", id]).0, Some(2));
    assert_eq!(run(&folder, &["webhooks", "list"]).1, "");
}

#[test]
fn what_is_not_possible_with_a_fleet_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("not.db"), "this is no database, however long the text is that stands in it").unwrap();
    fs::write(folder.path().join("case.scn"), SCENARIO).unwrap();
    for (words, error) in [
        ("report", "--database <URL>"),
        ("report --database mysql://db.example.com/fleet", "expected sqlite:PATH"),
        ("report --database sqlite:nowhere/fleet.db", "nowhere/fleet.db"),
        ("report --database sqlite:not.db", "database"),
        ("worker --database sqlite:fleet.db --root-hints none", "cannot read"),
        ("webhooks add http://hooks.example.com/ --database sqlite:fleet.db", "the URL is not https"),
        ("webhooks add https://10.0.0.1/ --database sqlite:fleet.db", "10.0.0.1 is not an address of the Internet"),
        ("webhooks add https://hooks.example.com/ --on born --database sqlite:fleet.db", "expected one of verified"),
        ("bulk in.csv --database sqlite:fleet.db -o out.jsonl", "cannot be used with"),
    ] {
        refuses(folder.path(), words, 2, error);
    }
}
