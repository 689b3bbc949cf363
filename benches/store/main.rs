//! How many rows a second the store adds, claims and records, how much memory a listing takes, and how long whole runs of
//! `zoneproof bulk` take and how much memory they have at most.
//!
//! `cargo bench --bench store` measures SQLite and, where it is installed, PostgreSQL, with 10,000 and 100,000 domains;
//! `ZONEPROOF_ROWS=1000000` takes another number. Both engines wait for the disk, as they do in service. Words after `--`
//! choose: `stages` or `runs`, and `file` (a run without a database), `sqlite` or `postgres`. Runs take NSD.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench ends where its world is broken"
)]

#[path = "../../tests/support/postgres.rs"]
mod postgres;
mod runs;
mod stages;
mod world;

use std::fs;

use world::World;

/// What is to be measured.
struct Wanted(Vec<String>);

impl Wanted {
    /// Says whether one of several was chosen, or none of them and so all.
    fn has(&self, word: &str, of: &[&str]) -> bool {
        let is_chosen = |word: &str| self.0.iter().any(|chosen| chosen == word);
        is_chosen(word) || !of.iter().any(|word| is_chosen(word))
    }

    /// Says whether a part is wanted.
    fn part(&self, word: &str) -> bool {
        self.has(word, &["stages", "runs"])
    }

    /// Says whether an engine is wanted.
    fn engine(&self, word: &str) -> bool {
        self.has(word, &["file", "sqlite", "postgres"])
    }
}

/// Measures the stages of the store.
async fn measure_stages(wanted: &Wanted, sizes: &[usize], server: Option<&postgres::Postgres>) {
    let report = stages::report().await;
    println!("the report stored is {} octets of JSON", serde_json::to_vec(&report).unwrap().len());
    for rows in sizes.iter().filter(|_| wanted.engine("sqlite")) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fleet.db");
        stages::measure("sqlite", &format!("sqlite:{}", path.display()), *rows, &report).await;
        let octets = fs::metadata(&path).map(|file| file.len()).unwrap_or_default();
        println!("sqlite     {rows:>9}  file of {} octets a domain", octets / *rows as u64);
    }
    let Some(server) = server else { return };
    for rows in sizes {
        stages::measure("postgres", &server.database(&format!("rows_{rows}")), *rows, &report).await;
    }
}

/// Measures whole runs.
async fn measure_runs(wanted: &Wanted, sizes: &[usize], server: Option<&postgres::Postgres>) {
    for rows in sizes {
        let Some(world) = World::start(*rows) else {
            println!("NSD is not installed");
            return;
        };
        if wanted.engine("file") {
            runs::to_file(&world, *rows).await;
        }
        if wanted.engine("sqlite") {
            let path = world.folder.path().join("fleet.db");
            runs::to_database("sqlite", &format!("sqlite:{}", path.display()), &world, *rows).await;
        }
        if let Some(server) = server {
            runs::to_database("postgres", &server.database(&format!("run_{rows}")), &world, *rows).await;
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let wanted = Wanted(std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect());
    let asked = std::env::var("ZONEPROOF_ROWS").ok().map(|rows| rows.parse().expect("ZONEPROOF_ROWS is a number"));
    let sizes = asked.map_or_else(|| vec![10_000, 100_000], |rows: usize| vec![rows]);
    let server = if wanted.engine("postgres") { postgres::Postgres::start(true) } else { None };
    if wanted.engine("postgres") && server.is_none() {
        println!("PostgreSQL is not installed");
    }
    if wanted.part("stages") {
        measure_stages(&wanted, &sizes, server.as_ref()).await;
    }
    if wanted.part("runs") {
        measure_runs(&wanted, &sizes, server.as_ref()).await;
    }
}
