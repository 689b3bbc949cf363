//! Feeds the checker a made-up source with each breach, and what is allowed.

use super::judge;

/// Judges one made-up file and lists its breaches as `line: rule`.
fn judge_one(path: &str, text: &str) -> Vec<String> {
    let breaches = judge(&[(path.to_owned(), text.to_owned())]);
    breaches.into_iter().map(|breach| format!("{}: {}", breach.line, breach.rule)).collect()
}

/// Path, text, and what one of the breaches must say.
const BREACHES: &[(&str, &str, &str)] = &[
    ("budget.rs", "\nuse crate::walk::Walk;", "2: `budget` imports up from `walk`"),
    ("budget.rs", "use super::walk::Walk;", "1: `budget` imports up from `walk`"),
    ("observe.rs", "use crate::{dns,\n findings::{A, B}};", "2: `observe` imports its neighbour `findings`"),
    ("walk/mod.rs", "fn f() { crate::cli::run() }", "1: `walk` imports up from `cli`"),
    ("walk/machine.rs", "use super::super::check::plan;", "1: `walk` imports up from `check`"),
    ("dns/name.rs", "use crate::Checker;", "1: `crate::Checker` is no module with a floor"),
    ("attic.rs", "", "1: `attic` stands on no floor"),
    ("dns/name.rs", "/* a\n*/ use tokio::sync;", "2: wall 1: a pure module names the crate `tokio`"),
    ("records/spf.rs", "use {rand::Rng};", "1: wall 1: a pure module names the crate `rand`"),
    ("findings/mx.rs", "fn f() { log::warn!(\"\") }", "1: wall 1: a pure module names the crate `log`"),
    ("check/plan.rs", "async fn f() {}", "1: wall 1: a pure module names `async`"),
    ("walk/machine.rs", "fn f() { g().await }", "1: wall 1: a pure module names `await`"),
    ("budget.rs", "fn f() { Instant\n::now() }", "1: wall 1: a pure module names `Instant::now`"),
    ("report/mod.rs", "fn f() { jiff::Timestamp::now(); }", "1: wall 1: a pure module names `Timestamp::now`"),
    ("evidence.rs", "type T = std::time::SystemTime;", "1: wall 1: a pure module names `SystemTime`"),
    ("dns/name.rs", "use std::net::{IpAddr, UdpSocket};", "1: wall 1: a pure module names `UdpSocket`"),
    ("walk/mod.rs", "fn f() { hickory_proto::f() }", "1: wall 2: `hickory_proto` is named outside its door (dns)"),
    ("transport/mod.rs", "use governor as g;", "1: wall 2: `governor` is named outside its door"),
    ("check/mod.rs", "#[derive(clap::Parser)] struct A;", "1: wall 2: `clap` is named outside its door"),
    ("dns/name.rs", "fn f() { ::psl::f() }", "1: wall 2: `psl` is named outside its door"),
    ("walk/mod.rs", "use tokio::net::TcpStream;", "1: wall 2: `TcpStream` outside"),
    ("walk/mod.rs", "pub(crate) trait Clock {}", "1: wall 3: `trait Clock` is not one of the seams"),
    ("walk/mod.rs", "trait Transport {}", "1: wall 3: `trait Transport` is not one of the seams"),
    ("walk/utils.rs", "", "1: `utils` says nothing"),
    ("walk/mod.rs", "// TODO: later", "1: `TODO`"),
    ("walk/mod.rs", "\n#[cfg(test)]\nmod tests {\n#![allow(dead_code)]\n}", "4: `#[allow]`"),
    ("walk/mod.rs", "#[cfg(not(test))] use crate::cli;", "1: `walk` imports up from `cli`"),
    ("walk/mod.rs", "#[cfg(test)]\nmod tests { use crate::cli; }\nuse crate::lab;", "3: `walk` imports up from `lab`"),
    ("walk/mod.rs", "const Q: char = '\"'; use crate::cli;", "1: `walk` imports up from `cli`"),
];

#[test]
fn every_breach_is_found_on_its_line() {
    for (path, text, expected) in BREACHES {
        let found = judge_one(path, text);
        assert!(found.iter().any(|breach| breach.contains(expected)), "{path}: {text}\nno `{expected}` in {found:?}");
    }
}

#[test]
fn what_is_allowed_is_no_breach() {
    let cases = [
        ("lib.rs", "pub use crate::cli::run;"),
        ("cli/args.rs", "use clap::Parser; use crate::{config, lab, walk::Walk};"),
        ("walk/mod.rs", "use crate::{dns::Name, transport::Transport}; use super::dns; use crate::walk::machine;"),
        (
            "walk/mod.rs",
            "// crate::cli\n/* /* */ crate::cli */ /// async\nconst A: &str = r#\"crate::cli \" tokio::\"#;",
        ),
        ("dns/name.rs", "fn f<'a>(ip: std::net::IpAddr, log: &'a str) { self.rand::<u8>(); names::log::f('\\'') }"),
        ("dns/name.rs", "#[cfg(test)]\nmod tests { use tokio::net::UdpSocket; fn f() { crate::cli::f() } }"),
        ("dns/name/tests.rs", "use crate::cli; use rand::Rng;"),
        ("transport/udp/batch.rs", "use tokio::net::UdpSocket;"),
        ("transport/mod.rs", "pub trait Transport {} pub(in crate::transport) struct A;"),
        ("budget.rs", "fn f(now: Instant, limit: Duration) {} #[expect(dead_code, reason = \"allow(\")] fn allow() {}"),
    ];
    for (path, text) in cases {
        assert_eq!(judge_one(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn a_file_declared_for_tests_only_is_not_judged() {
    let module = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let doubles = module("walk/doubles.rs", "use crate::cli;");
    let gated = module("walk/mod.rs", "#[cfg(test)]\npub(crate) mod doubles;");
    assert_eq!(judge(&[gated, doubles.clone()]), []);
    assert_eq!(judge(&[module("walk/mod.rs", "mod doubles;"), doubles]).len(), 1);
}

#[test]
fn a_file_is_no_longer_than_its_ceiling() {
    for (path, ceiling) in [("walk/mod.rs", 800), ("main.rs", 50)] {
        assert_eq!(judge_one(path, &"\n".repeat(ceiling)), Vec::<String>::new());
        let found = judge_one(path, &"\n".repeat(ceiling + 1));
        let expected = format!("{0}: {0} lines, at most {ceiling} here", ceiling + 1);
        assert_eq!(found, [expected], "{path}");
    }
}
