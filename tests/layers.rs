//! Reads `src/` as text and fails on any breach of the house's walls, naming file, line and rule.
//!
//! The tables come first, so that a reader sees the house; then the rules. `layers/source.rs` reads a
//! file, `layers/breaches.rs` shows that each rule can fail. Comments, strings, `#[cfg(test)]` items, and
//! files that hold only tests are not judged by the walls. A module that is not there is no breach.
//! Types are never resolved: what a macro makes or a method call hides is not seen.
#![cfg(test)]

use std::{collections::BTreeSet, fmt, fs, path::Path};

#[path = "layers/breaches.rs"]
mod breaches;
#[path = "layers/source.rs"]
mod source;

use source::{Token, crate_paths, is_crate_name, lex, positions, starts, without_tests};

/// The floors, lowest first. A module may import from floors below its own and from itself; never
/// from above, and never from a neighbour on the same floor.
const FLOORS: &[&[&str]] = &[
    &["dns"],
    &["dnssec"],
    &["budget", "evidence", "expectation", "metrics", "providers", "records"],
    &["transport"],
    &["findings", "observe", "scenario"],
    &["remedy", "walk"],
    &["report"],
    &["check", "doctor", "recursive"],
    &["bulk", "propagation", "ses"],
    &["store"],
    &["service"],
    &["api", "lab"],
    &["config"],
    &["cli"],
];

/// Wall 1, the modules that only compute: `a/b` is `src/a/b.rs` and all below `src/a/b/`.
const PURE: &[&str] = &[
    "budget",
    "check/plan",
    "dns",
    "dnssec",
    "evidence",
    "expectation",
    "findings",
    "lab/ses/fault",
    "lab/ses/identity",
    "lab/ses/own_key",
    "lab/ses/paging",
    "lab/ses/region",
    "lab/ses/signature",
    "lab/ses/token",
    "lab/ses/track",
    "propagation/statistics",
    "providers",
    "records",
    "remedy",
    "report",
    "service/assess",
    "service/cadence",
    "service/lifecycle",
    "service/operator",
    "service/sending",
    "service/sighting",
    "service/warmup",
    "service/webhooks/retry",
    "service/webhooks/target",
    "ses/expect",
    "ses/identity",
    "ses/reconcile",
    "walk/machine",
    "walk/minimise",
];

/// Wall 1, what a pure module does not name.
const IMPURE: &[&str] = &[
    "async",
    "await",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
];

/// Wall 1, the crates a pure module does not name.
const IMPURE_CRATES: &[&str] = &["getrandom", "log", "rand", "tokio", "tracing"];

/// Wall 2, each foreign crate and its door: no other module names it.
const DOORS: &[(&str, &[&str])] = &[
    ("aws_config", &["ses/client"]),
    ("aws_sdk_sesv2", &["ses/client"]),
    ("aws_smithy_http_client", &["ses/client"]),
    ("axum", &["api", "lab"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("dashmap", &["transport", "walk/cut_cache"]),
    ("governor", &["ses/client", "transport/pace"]),
    ("hickory_proto", &["dns"]),
    ("hickory_resolver", &["recursive"]),
    ("idna", &["dns"]),
    ("miniz_oxide", &["store/database/compact"]),
    ("nix", SOCKET_DOOR),
    ("psl", &["dns/public_suffix"]),
    ("quick_cache", &["providers", "transport", "walk/cut_cache", "walk/speeds", "walk/trust"]),
    ("rustix", SOCKET_DOOR),
    ("socket2", SOCKET_DOOR),
    ("sqlx", &["store/engine"]),
];

/// Wall 2, what opens a socket, and the modules that may.
const SOCKETS: &[&str] = &["TcpListener", "TcpSocket", "TcpStream", "UdpSocket"];

/// The only modules with sockets in them.
const SOCKET_DOOR: &[&str] = &["lab", "transport/tcp", "transport/udp"];

/// Wall 3, the traits this crate defines and where. The last one only listens: it lets an
/// embedder follow a check, and swaps nothing out.
const SEAMS: &[(&str, &str)] = &[
    ("Transport", "transport"),
    ("DynTransport", "transport"),
    ("Identities", "ses/client"),
    ("Store", "store"),
    ("Observer", "check"),
];

/// File and folder names that say nothing about what is inside.
const NAMELESS: &[&str] = &["common", "helpers", "misc", "types", "utils"];

/// Past this many lines a file holds a second idea.
const MAX_FILE_LINES: usize = 800;

/// `main.rs` is a door.
const MAX_MAIN_LINES: usize = 50;

/// One breach: where, and of what.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    /// Path below `src/`.
    file: String,
    /// Line, counted from 1.
    line: usize,
    /// The rule, in words.
    rule: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}", self.file, self.line, self.rule)
    }
}

/// Judges a whole tree, given as (path below `src/`, text), and returns every breach, sorted.
fn judge(tree: &[(String, String)]) -> Vec<Breach> {
    let mut test_only = BTreeSet::new();
    for (path, text) in tree {
        let (_, test_modules) = without_tests(&lex(text));
        test_only.extend(test_modules.iter().map(|name| join(&children_of(path), name)));
    }
    let mut breaches = BTreeSet::new();
    for (path, text) in tree {
        let mut found = Vec::new();
        let tokens = lex(text);
        judge_text(path, text, &tokens, &mut found);
        let module = module_of(path);
        let is_test =
            module.split('/').any(|part| part == "tests") || test_only.iter().any(|test| within(module, test));
        if !is_test {
            let (code, _) = without_tests(&tokens);
            judge_imports(path, &code, &mut found);
            judge_walls(module, &code, &mut found);
        }
        breaches.extend(found.into_iter().map(|(line, rule)| Breach { file: path.clone(), line, rule }));
    }
    breaches.into_iter().collect()
}

/// House rules on the text as it stands, tests included.
fn judge_text(path: &str, text: &str, tokens: &[Token<'_>], found: &mut Vec<(usize, String)>) {
    let mut breach = |line: usize, rule: String| found.push((line, rule));
    let ceiling = if path == "main.rs" { MAX_MAIN_LINES } else { MAX_FILE_LINES };
    let lines = text.lines().count();
    if lines > ceiling {
        breach(lines, format!("{lines} lines, at most {ceiling} here"));
    }
    let mut names = module_of(path).split('/');
    if let Some(name) = names.find(|name| NAMELESS.contains(name)) {
        breach(1, format!("`{name}` says nothing: name the file after its idea"));
    }
    for (line, text) in (1..).zip(text.lines()) {
        for word in ["TODO", "FIXME"].iter().filter(|word| text.contains(**word)) {
            breach(line, format!("`{word}`: do it, or file an issue and leave no comment"));
        }
    }
    for (rest, _) in positions(tokens) {
        let is_allow = starts(rest, "#[allow(") || starts(rest, "#![allow(");
        if let Some(first) = rest.first().filter(|_| is_allow) {
            let rule = "`#[allow]`: use `#[expect(lint, reason = \"...\")]`";
            breach(first.line, rule.to_owned());
        }
    }
}

/// Imports run down only.
fn judge_imports(path: &str, code: &[Token<'_>], found: &mut Vec<(usize, String)>) {
    let module = module_of(path);
    let own = module.split('/').next().unwrap_or_default();
    if ["lib", "main"].contains(&module) {
        return;
    }
    let Some(own_floor) = floor(own) else {
        found.push((1, format!("`{own}` stands on no floor: give it one in tests/layers.rs")));
        return;
    };
    for head in crate_paths(code, module.split('/').count()) {
        let named = head.text;
        let rule = match floor(named) {
            _ if named == own => continue,
            None => {
                format!("`crate::{named}` is no module with a floor: name the module it lives in")
            }
            Some(other) if other > own_floor => format!("`{own}` imports up from `{named}`"),
            Some(other) if other == own_floor => format!("`{own}` imports its neighbour `{named}`"),
            Some(_) => continue,
        };
        found.push((head.line, rule));
    }
}

/// The three walls.
fn judge_walls(module: &str, code: &[Token<'_>], found: &mut Vec<(usize, String)>) {
    let is_in = |doors: &[&str]| doors.iter().any(|door| within(module, door));
    for (rest, before) in positions(code) {
        let Some(first) = rest.first() else { continue };
        let mut breach = |rule: String| found.push((first.line, rule));
        if is_in(PURE) {
            if let Some(words) = IMPURE.iter().find(|words| starts(rest, words)) {
                breach(format!("wall 1: a pure module names `{words}`"));
            }
            if IMPURE_CRATES.contains(&first.text) && is_crate_name(rest, before) {
                breach(format!("wall 1: a pure module names the crate `{}`", first.text));
            }
        }
        if let Some((name, doors)) = DOORS.iter().find(|(name, _)| *name == first.text)
            && is_crate_name(rest, before)
            && !is_in(doors)
        {
            breach(format!("wall 2: `{name}` is named outside its door ({})", doors.join(", ")));
        }
        if SOCKETS.contains(&first.text) && !is_in(SOCKET_DOOR) {
            breach(format!("wall 2: `{}` outside {}", first.text, SOCKET_DOOR.join(", ")));
        }
        if let [Token { text: "trait", .. }, name, ..] = rest
            && !SEAMS.iter().any(|(seam, place)| *seam == name.text && within(module, place))
        {
            breach(format!("wall 3: `trait {}` is not one of the seams", name.text));
        }
    }
}

/// Names the floor a top-level module stands on, if it has one.
fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// Turns `walk/machine.rs` into `walk/machine` and `walk/mod.rs` into `walk`.
fn module_of(path: &str) -> &str {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    path.strip_suffix("/mod").unwrap_or(path)
}

/// Names the module whose children a file declares: the crate's root for `lib.rs` and `main.rs`.
fn children_of(path: &str) -> String {
    match module_of(path) {
        "lib" | "main" => String::new(),
        module => module.to_owned(),
    }
}

/// Joins a module and its child.
fn join(parent: &str, child: &str) -> String {
    if parent.is_empty() { child.to_owned() } else { format!("{parent}/{child}") }
}

/// Tells whether `module` is `place` or lies below it.
fn within(module: &str, place: &str) -> bool {
    module.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads every `.rs` file below `folder` into (path below `src/`, text).
fn read_tree(folder: &Path, prefix: &str, tree: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = join(prefix, &entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read_tree(&entry.path(), &path, tree)?;
        } else if path.ends_with(".rs") {
            tree.push((path, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

#[test]
fn the_house_stands() {
    let mut tree = Vec::new();
    read_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut tree).unwrap();
    assert!(tree.iter().any(|(path, _)| path == "lib.rs"), "src/lib.rs was not read");
    let breaches: Vec<String> = judge(&tree).iter().map(Breach::to_string).collect();
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}
