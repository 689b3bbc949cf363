//! Where the rows of a bulk run come from: a file, standard input, or the lab's own list.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal};
use std::path::{Path, PathBuf};

use crate::bulk::Rows;
use crate::bulk::resume::Fingerprint;
use crate::cli::args::BulkArguments;
use crate::cli::engine::Plan;
use crate::cli::failure::Failure;

/// How much is read at once, in octets.
const BUFFER_OCTETS: usize = 1 << 16;

/// Rows from anywhere.
type AnyRows = Rows<Box<dyn BufRead + Send>>;

/// The rows of a run.
pub(super) struct Input {
    /// The rows.
    pub(super) rows: AnyRows,
    /// The file; `None` where it is none.
    pub(super) path: Option<PathBuf>,
    /// What it looks like; `None` where it can be read only once.
    pub(super) fingerprint: Option<Fingerprint>,
}

impl Input {
    /// Opens what was typed, and looks at its header.
    pub(super) fn open(arguments: &BulkArguments, plan: &Plan) -> Result<Self, Failure> {
        let needs_tokens = needs_tokens(arguments);
        match arguments.file.as_deref() {
            Some(path) if path != Path::new("-") => Self::of_file(path, needs_tokens),
            None if plan.scenario_name().is_some() => Self::of_checks(plan),
            None if io::stdin().is_terminal() => Err(Failure::NoInput),
            _ => {
                let source: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(BUFFER_OCTETS, io::stdin()));
                Ok(Self { rows: open_rows(source, "standard input", needs_tokens)?, path: None, fingerprint: None })
            }
        }
    }

    /// Estimates how many rows there are: the lines without a header.
    pub(super) fn rows(&self) -> Option<u64> {
        let lines = self.fingerprint.as_ref().map(|fingerprint| fingerprint.lines)?;
        Some(if self.rows.has_header() { lines.saturating_sub(1) } else { lines })
    }

    /// Opens a file; one that can be read twice is read once for its fingerprint.
    fn of_file(path: &Path, needs_tokens: bool) -> Result<Self, Failure> {
        let failure = |source| Failure::read(path, source);
        let file = File::open(path).map_err(failure)?;
        let metadata = file.metadata().map_err(failure)?;
        if metadata.is_dir() {
            return Err(failure(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let fingerprint =
            metadata.is_file().then(|| Fingerprint::of(File::open(path)?)).transpose().map_err(failure)?;
        let source: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(BUFFER_OCTETS, file));
        let rows = open_rows(source, &path.display().to_string(), needs_tokens)?;
        Ok(Self { rows, path: Some(path.to_owned()), fingerprint })
    }

    /// Takes the checks of the plan's scenario.
    fn of_checks(plan: &Plan) -> Result<Self, Failure> {
        let mut text = String::new();
        for check in plan.checks() {
            let tokens = check.tokens();
            let token = |place: usize| tokens.get(place).copied().unwrap_or_default();
            let previous: Vec<&str> = check.values("previous_token").collect();
            let servers: Vec<&str> = check.values("previous_ns").collect();
            let row = serde_json::json!({
                "domain": check.domain, "token1": token(0), "token2": token(1), "token3": token(2),
                "dkim_zone": check.option("dkim_zone"), "region": check.option("region"),
                "mail_from": check.option("mail_from"), "inbound": check.option("inbound"),
                "selector": check.option("selector"), "public_key": check.option("public_key"),
                "previous_tokens": previous, "previous_ns": servers, "dns_provider": check.option("dns_provider"),
            });
            text += &format!("{row}\n");
        }
        let fingerprint = Fingerprint::of(text.as_bytes()).ok();
        let source: Box<dyn BufRead + Send> = Box::new(Cursor::new(text));
        let rows = open_rows(source, plan.scenario_name().unwrap_or_default(), true)?;
        Ok(Self { rows, path: None, fingerprint })
    }
}

/// Says whether rows must name tokens, which come from Amazon SES where it is asked.
fn needs_tokens(arguments: &BulkArguments) -> bool {
    #[cfg(feature = "ses")]
    return !arguments.ses.ses;
    #[cfg(not(feature = "ses"))]
    {
        let _ = arguments;
        true
    }
}

/// Looks how an input is written.
fn open_rows(source: Box<dyn BufRead + Send>, name: &str, needs_tokens: bool) -> Result<AnyRows, Failure> {
    let rows = if needs_tokens { Rows::open(source) } else { Rows::open_for_domains(source) };
    rows.map_err(|source| Failure::Input { name: name.to_owned(), source })
}
