//! The program from outside: what it prints where, and how it ends.
#![cfg(test)]
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[path = "cli/dmarc.rs"]
mod dmarc;
#[cfg(all(feature = "serve", feature = "sqlite"))]
#[path = "cli/fleet.rs"]
mod fleet;
#[cfg(all(unix, feature = "lab"))]
#[path = "cli/runs.rs"]
mod runs;
#[cfg(all(feature = "lab", feature = "ses"))]
#[path = "cli/ses.rs"]
mod ses;
#[path = "cli/spf.rs"]
mod spf;

/// A small Internet with a domain that is ready and one that is not.
const SCENARIO: &str = "\
; A domain that is ready and one that is not.
root 127.10.0.1
zone . at 127.10.0.1
  com. NS a.gtld.example.
  example. NS ns1.example.
  a.gtld.example. A 127.10.1.1
  ns1.example. A 127.10.2.1
zone com. at 127.10.1.1
  example.com. NS ns1.example.
zone example. at 127.10.2.1
  ns1 A 127.10.2.1
  a.gtld A 127.10.1.1
zone example.com. at 127.10.2.1
  @ NS ns1.example.
  @ TXT \"v=spf1 include:amazonses.com ~all\"
  _dmarc TXT \"v=DMARC1; p=none\"
  a._domainkey CNAME a.dkim.amazonses.com.
  b._domainkey CNAME b.dkim.amazonses.com.
  c._domainkey CNAME c.dkim.amazonses.com.
server 127.10.2.1
  udp TXT example.com. -> truncate
check example.com token=a token=b token=c
check mail.example.com token=d token=e token=f
";

/// Prepares the program, with nothing of the caller's settings.
fn zoneproof(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zoneproof"));
    command.args(words).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ZONEPROOF_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the program in a folder.
fn run_in(folder: &Path, words: &[&str]) -> Output {
    zoneproof(words).current_dir(folder).output().unwrap()
}

/// Asserts that the program ends with `code`, prints no result, and one line that holds `error`.
fn refuses(folder: &Path, words: &str, code: i32, error: &str) {
    let output = run_in(folder, &words.split(' ').collect::<Vec<_>>());
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{words}: {err}");
    assert_eq!(out, "", "{words}");
    assert!(err.starts_with("error: ") && err.contains(error), "{words}: {err}");
    assert_eq!(err.lines().count(), 1, "{words}: {err}");
}

#[test]
fn what_is_not_possible_is_told_in_one_line_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("empty.csv", "");
    put("short.csv", "domain,token1\n");
    put("in.csv", "domain,token1,token2,token3\nexample.com,a,b,c\n");
    put("bad.toml", "dns_prot = 53\n");
    put("bad.hints", "hello\n");
    put("bad.scn", "zone\n");
    put("bad.ranges", "192.0.2.0/24\n192.0.2.0\n");
    put("case.scn", SCENARIO);
    for (words, error) in [
        ("check bad..name --token a --token b --token c", "domain \"bad..name\": the name has an empty label"),
        ("check co.uk --token a --token b --token c", "is a public suffix or a special-use name"),
        ("check example.com --token a", "1 DKIM tokens; expected 3"),
        ("check example.com", "0 DKIM tokens; expected 3"),
        ("check example.com --token a --token b --token a", "DKIM token \"a\" is given twice"),
        ("check example.net --replay case.scn", "no tokens; expected --token three times"),
        ("check example.com --replay missing.scn", "cannot read missing.scn: No such file"),
        ("check example.com --replay bad.scn", "bad.scn: "),
        (
            "check example.com --token a --token b --token c --capture nowhere/case.scn",
            "cannot write to nowhere/case.scn",
        ),
        (
            "check example.com --token a --token b --token c --config bad.toml",
            "bad.toml, line 1: unknown field `dns_prot`",
        ),
        ("check example.com --token a --token b --token c --root-hints bad.hints", "bad.hints: line 1: \"hello\""),
        ("check example.com --token a --token b --token c --attempts 0", "attempts is 0; expected 1 to 10"),
        ("check example.com --token a --token b --token c --sesame", "unexpected argument '--sesame' found"),
        ("bulk missing.csv", "cannot read missing.csv: No such file"),
        ("bulk .", "cannot read .: "),
        ("bulk empty.csv", "empty.csv: there is nothing in it"),
        ("bulk -", "standard input: there is nothing in it"),
        ("bulk short.csv", "short.csv: the header has no column token2"),
        ("bulk in.csv --resume", "--output <FILE>"),
        ("findings no_such_thing", "\"no_such_thing\" is no code"),
        ("findings host_doubled --markdown", "cannot be used with"),
        ("records example.com --provider godady", "\"godady\" is no DNS provider that is known"),
        ("records example.com --provider squarespace_or", "(near: squarespace, squarespace_or_google_cloud)"),
        ("records example.com --token a --provider godaddy", "1 DKIM tokens; expected 3"),
        (
            "records example.com --token a --token b --token c --inbound --provider godaddy",
            "the MX record names a host of the identity's AWS region; tell it with --region",
        ),
        ("records example.com --selector s1 --provider godaddy", "were not provided: --public-key <BASE64>"),
        ("records example.com --token a --format xml", "invalid value 'xml' for '--format <FORMAT>'"),
        (
            "check example.com --replay case.scn --cloudflare-ranges bad.ranges",
            "bad.ranges: line 2: \"192.0.2.0\" is not a network; expected an address range such as 192.0.2.0/24",
        ),
        ("bulk in.csv --cloudflare-ranges missing.ranges", "cannot read missing.ranges: No such file"),
        ("completions tcsh", "invalid value 'tcsh'"),
        ("serve", "unrecognized subcommand 'serve'"),
    ] {
        refuses(folder.path(), words, 2, error);
    }
}

#[test]
fn names_that_amazon_ses_or_the_dns_cannot_take_are_told_in_one_line_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let keys = "--token a --token b --token c";
    for (words, error) in [
        (
            format!("check example.com {keys} --mail-from bounce.example.org"),
            "MAIL FROM \"bounce.example.org\" does not lie below example.com (mailfrom_not_subdomain); Amazon SES takes no \
             other, such as bounce.example.com",
        ),
        (
            format!("check example.com {keys} --mail-from Example.COM."),
            "MAIL FROM is the sender domain example.com itself (mailfrom_equals_from); Amazon SES takes a name below it, such \
             as bounce.example.com",
        ),
        (
            format!("records example.com {keys} --provider godaddy --mail-from example.com"),
            "MAIL FROM is the sender domain example.com itself (mailfrom_equals_from)",
        ),
        (
            // 251 octets of text, which leave no room for the name of a key.
            format!("check {}example.com {keys}", "a234567.".repeat(30)),
            "(host_too_long)",
        ),
        (format!("check {}.example.com {keys}", "a".repeat(64)), "64 octets"),
        (format!("check {}example.com {keys}", "a234567.".repeat(40)), "255 octets"),
    ] {
        refuses(folder.path(), &words, 2, error);
    }
}

#[test]
fn a_name_or_type_that_cannot_be_read_is_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    refuses(folder.path(), "lookup bad..name A", 3, "name \"bad..name\": the name has an empty label");
    refuses(folder.path(), "lookup example.com NOPE", 3, "\"NOPE\" is no record type");
}

#[test]
fn a_replayed_check_gives_the_verdicts_exit_code_and_one_json_object() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("case.scn"), SCENARIO).unwrap();
    for (domain, verdict, code) in [("example.com", "ready", 0), ("mail.example.com", "failing", 1)] {
        let output = run_in(folder.path(), &["check", domain, "--replay", "case.scn", "--json"]);
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(code), &b""[..]), "{output:?}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&report["schema"], &report["domain"], &report["verdict"]),
            (&1.into(), &domain.into(), &verdict.into())
        );
        assert!(report.get("row").is_none());
        let text = run_in(folder.path(), &["check", domain, "--replay", "case.scn"]);
        let text = String::from_utf8(text.stdout).unwrap();
        assert!(
            text.starts_with(&format!("{domain}  {}\n", verdict.to_uppercase())) && !text.contains('\u{1b}'),
            "{text}"
        );
        let colored = run_in(folder.path(), &["check", domain, "--replay", "case.scn", "--color", "always"]);
        assert!(String::from_utf8(colored.stdout).unwrap().contains('\u{1b}'));
    }
}

#[test]
fn variables_and_the_file_are_heeded_below_flags() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("zoneproof.toml"), "attempts = 0\n").unwrap();
    let words = ["lookup", "bad..name", "A"];
    let check = ["check", "example.com", "--token", "a", "--token", "b", "--token", "c", "--bind", "nothing"];
    let bad_flag = run_in(folder.path(), &check);
    assert!(String::from_utf8(bad_flag.stderr).unwrap().contains("invalid value 'nothing' for '--bind <ADDRESS>'"));
    let bad_variable = zoneproof(&words).env("ZONEPROOF_DNS_PORT", "x").output().unwrap();
    assert!(String::from_utf8(bad_variable.stderr).unwrap().contains("invalid value 'x' for '--dns-port <N>'"));
    fs::write(folder.path().join("case.scn"), SCENARIO).unwrap();
    let replay = ["check", "example.com", "--replay", "case.scn", "--config", "zoneproof.toml"];
    let of_file = run_in(folder.path(), &replay);
    assert!(String::from_utf8(of_file.stderr).unwrap().contains("attempts is 0"));
    let of_variable = zoneproof(&replay).current_dir(folder.path()).env("ZONEPROOF_ATTEMPTS", "2").output().unwrap();
    assert_eq!(of_variable.status.code(), Some(0), "{of_variable:?}");
    let over = [&replay[..], &["--attempts", "99"]].concat();
    let of_flag = zoneproof(&over).current_dir(folder.path()).env("ZONEPROOF_ATTEMPTS", "2").output().unwrap();
    assert!(String::from_utf8(of_flag.stderr).unwrap().contains("attempts is 99"));
}

#[test]
fn the_catalogue_is_listed_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let list = String::from_utf8(run_in(folder.path(), &["findings"]).stdout).unwrap();
    assert!(list.contains("host_doubled  error\n") && list.contains("spf_absent  warning\n"));
    let one = run_in(folder.path(), &["findings", "HOST-DOUBLED"]);
    assert_eq!(one.status.code(), Some(0));
    let one = String::from_utf8(one.stdout).unwrap();
    for title in ["What it means\n", "How we know\n", "What else it could be\n", "What to do\n", "Rests on\n"] {
        assert!(one.contains(title), "{one}");
    }
    let page = String::from_utf8(run_in(folder.path(), &["findings", "--markdown"]).stdout).unwrap();
    assert!(page.starts_with("# Findings\n") && page.contains("\n## host_doubled\n"));
    let json = run_in(folder.path(), &["findings", "--json"]);
    let json: Vec<serde_json::Value> = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json.len(), zoneproof::findings::Code::ALL.len());
    let near = String::from_utf8(run_in(folder.path(), &["findings", "doubled"]).stderr).unwrap();
    assert!(near.contains("(near: host_doubled, "), "{near}");
}

#[test]
fn records_for_a_named_provider_ask_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let words = "records mail.example.com --token a --token b --token c --provider";
    let run = |rest: &str| {
        let line = format!("{words} {rest}");
        // A root server that nobody can ask: a question would end in a note.
        let mut command = zoneproof(&line.split(' ').collect::<Vec<_>>());
        let output = command.env("ZONEPROOF_DNS_PORT", "1").current_dir(folder.path()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run("hurricane_electric").contains("Name   a._domainkey.mail.example.com\n"));
    assert!(run("Azure-DNS").contains("Name   a._domainkey.mail\n"));
    assert_eq!(run("godaddy --format bind --dkim-only").lines().filter(|line| line.contains("CNAME")).count(), 3);
    let with_mail_from = run("godaddy --region us-east-1 --mail-from bounce.mail.example.com --inbound --format bind");
    for part in
        ["IN\tMX\t10 inbound-smtp.us-east-1.amazonaws.com.", "IN\tMX\t10 feedback-smtp.us-east-1.amazonses.com."]
    {
        assert!(with_mail_from.contains(part), "{with_mail_from}");
    }
    for (format, key, count) in [("route53", "Changes", 5), ("cloudflare", "posts", 5)] {
        let json: serde_json::Value = serde_json::from_str(&run(&format!("godaddy --format {format}"))).unwrap();
        assert_eq!(json[key].as_array().unwrap().len(), count);
    }
    assert!(
        run("cloudflare --format terraform").contains("resource \"cloudflare_record\" \"dkim_mail_example_com_1\"")
    );
}

/// A zone at Cloudflare in which each key's name has an address.
const PROXIED: &str = "\
; Keys that answer with addresses.
root 192.0.2.1
zone . at 192.0.2.1
  com. NS a.gtld.example.
  a.gtld.example. A 192.0.2.2
zone com. at 192.0.2.2
  example.com. NS ada.ns.cloudflare.com.
  ada.ns.cloudflare.com. A 192.0.2.3
zone example.com. at 192.0.2.3
  @ NS ada.ns.cloudflare.com.
  a._domainkey A 198.51.100.1
  b._domainkey A 198.51.100.2
  c._domainkey A 198.51.100.3
zone ns.cloudflare.com. at 192.0.2.3
  ada A 192.0.2.3
check example.com token=a token=b token=c
";

#[test]
fn the_networks_of_cloudflare_can_be_given_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("case.scn"), PROXIED).unwrap();
    fs::write(folder.path().join("own.ranges"), "# ours\n198.51.100.0/24\n2001:db8::/32\n").unwrap();
    let words = ["check", "example.com", "--replay", "case.scn", "--json"];
    for (more, code) in [(&[][..], "wrong_type_address"), (&["--cloudflare-ranges", "own.ranges"], "cf_proxied")] {
        let output = run_in(folder.path(), &[&words[..], more].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["root_cause"], code, "{report}");
    }
}

#[test]
fn completions_are_there_for_every_shell() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run_in(folder.path(), &["completions", shell]);
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("max-qps-per-server"), "{shell}");
    }
}

#[test]
fn help_and_version_go_to_standard_output_and_no_command_is_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["--help"][..], &["--version"], &["bulk", "--help"]] {
        let output = run_in(folder.path(), words);
        assert!(output.status.success() && output.stderr.is_empty() && !output.stdout.is_empty(), "{words:?}");
    }
    let output = run_in(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && String::from_utf8(output.stderr).unwrap().contains("Usage: zoneproof"));
}

/// Runs a command line of a shell in which `$Z` is the program.
#[cfg(unix)]
fn shell(folder: &Path, line: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", line]).env("Z", env!("CARGO_BIN_EXE_zoneproof")).current_dir(folder);
    command.stdin(Stdio::null()).output().unwrap()
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_is_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("case.scn"), SCENARIO).unwrap();
    for words in ["findings", "completions bash", "check mail.example.com --replay case.scn", "--help"] {
        // The reader is gone before the first octet.
        let output = shell(folder.path(), &format!("{{ sleep 0.2; \"$Z\" {words}; echo \"code $?\" >&2; }} | true"));
        let code = if words.starts_with("check") { 1 } else { 0 };
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("code {code}\n"), "{words}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = shell(folder.path(), "\"$Z\" findings > /dev/full");
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("error: cannot write to standard output: No space left"), "{error}");
}
