//! Sessions of replies, as the fuzzer feeds them: whatever servers say one after the other, limits hold and no other zone
//! suffers.
//!
//! The sessions are those of `fuzz/fuzz_targets/session.rs` and `walk_machine.rs`. Here they run on every exchange that is
//! recorded in `fixtures/`, and on changed copies. `ZONEPROOF_WRITE_SEEDS=1` writes the recorded ones where the fuzzer finds
//! them: `fuzz/corpus/`.
#![cfg(test)]

#[expect(dead_code, reason = "it also holds reports against what is expected, which is not wanted here")]
#[path = "support/expects.rs"]
mod expects;
#[path = "sessions/record.rs"]
mod record;
#[path = "sessions/session.rs"]
mod session;
#[path = "sessions/walk.rs"]
mod walk;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use record::{Said, record};

/// How many changed copies of each recorded session run.
const CHANGED_COPIES: u64 = 2;

/// Collects the scenario files below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "scn") {
            files.push(path);
        }
    }
}

/// Returns the sessions of all scenarios of a folder, and what each is called.
fn recorded(folder: &str) -> Vec<(String, Vec<Said>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    files.sort();
    let mut sessions = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().with_extension("").display().to_string().replace('/', "-");
        let scenario = fs::read_to_string(&file).unwrap().parse().unwrap();
        for (nth, said) in record(&scenario).into_iter().enumerate() {
            sessions.push((format!("{name}-{nth}"), said));
        }
    }
    sessions
}

/// Changes some octets, as a fuzzer does.
fn changed(octets: &[u8], seed: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut copy = octets.to_vec();
    for _ in 0..random.random_range(1..12) {
        let at = random.random_range(0..copy.len());
        copy[at] = random.random();
    }
    copy
}

#[test]
fn recorded_sessions_keep_every_limit_and_harm_no_other_zone() {
    for (nth, (name, said)) in recorded("scenarios/hostile").into_iter().enumerate() {
        println!("{name}: {} replies", said.len());
        for seed in record::session_seeds(&said) {
            session::run(&seed);
            let first = u64::try_from(nth).unwrap() * CHANGED_COPIES;
            (first..first + CHANGED_COPIES).for_each(|change| session::run(&changed(&seed, change)));
        }
    }
}

#[test]
fn recorded_walks_end() {
    for (nth, (name, said)) in recorded("scenarios/delegation").into_iter().enumerate() {
        println!("{name}: {} replies", said.len());
        for seed in record::walk_seeds(&said) {
            walk::run(&seed);
            let first = u64::try_from(nth).unwrap() * CHANGED_COPIES;
            (first..first + CHANGED_COPIES).for_each(|change| walk::run(&changed(&seed, change)));
        }
    }
}

#[test]
fn made_up_sessions_keep_every_limit_too() {
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let octets: Vec<u8> = (0..random.random_range(1..600)).map(|_| random.random()).collect();
        session::run(&octets);
        walk::run(&octets);
    }
}

#[test]
#[ignore = "writes the fuzzer's first inputs; asked for by ZONEPROOF_WRITE_SEEDS=1"]
fn seeds_of_the_fuzzer_are_written() {
    assert!(std::env::var_os("ZONEPROOF_WRITE_SEEDS").is_some(), "ZONEPROOF_WRITE_SEEDS=1 writes them");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut written = HashSet::new();
    for (name, said) in ["scenarios", "real"].into_iter().flat_map(recorded) {
        let seeds = [
            ("session", record::session_seeds(&said)),
            ("walk_machine", record::walk_seeds(&said)),
            ("judge", record::judgement_seeds(&said)),
            ("read_response", said.iter().filter_map(|said| said.octets.clone()).collect()),
        ];
        for (target, seeds) in seeds {
            let folder = corpus.join(target);
            fs::create_dir_all(&folder).unwrap();
            for (nth, seed) in seeds.into_iter().enumerate() {
                let file = folder.join(format!("{name}-{nth}"));
                if written.insert((target, seed.clone())) {
                    fs::write(file, seed).unwrap();
                }
            }
        }
    }
    println!("{} seeds", written.len());
}
