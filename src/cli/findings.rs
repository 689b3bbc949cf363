//! `zoneproof findings`: the catalogue.

use serde::Serialize;

use crate::cli::args::{ColorChoice, FindingsArguments};
use crate::cli::failure::Failure;
use crate::cli::style::{Paint, Style};
use crate::cli::{WELL, console};
use crate::findings::{Code, Severity};

/// One code in JSON.
#[derive(Serialize)]
struct Entry {
    /// The word.
    code: &'static str,
    /// The severity at its worst.
    severity: Severity,
    /// What it means.
    meaning: &'static str,
    /// What to do about it in general.
    remedy: &'static str,
    /// The standard or the behaviour that it rests on.
    source: &'static str,
}

impl From<Code> for Entry {
    fn from(code: Code) -> Self {
        Self {
            code: code.as_str(),
            severity: code.severity(),
            meaning: code.meaning(),
            remedy: code.remedy(),
            source: code.source(),
        }
    }
}

/// Prints the catalogue or one code of it.
pub(super) fn run(arguments: &FindingsArguments, color: ColorChoice) -> Result<u8, Failure> {
    let style = Style::of_stdout(color);
    let one = arguments.code.as_deref().map(find).transpose()?;
    let text = match (one, arguments.json) {
        (Some(code), true) => json(&Entry::from(code)),
        (None, true) => json(&Code::ALL.iter().copied().map(Entry::from).collect::<Vec<_>>()),
        (Some(code), false) => explain(code, &style),
        (None, false) => list(&style),
    };
    console::print(&text)?;
    Ok(WELL)
}

/// Writes JSON over several lines.
fn json(value: &impl Serialize) -> String {
    // Words and texts are always written.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// Finds a code by its word, or the code whose word is the nearest.
fn find(word: &str) -> Result<Code, Failure> {
    let word = word.trim().to_ascii_lowercase().replace('-', "_");
    Code::from_word(&word).ok_or_else(|| {
        let is_like = |code: &&Code| {
            let known = code.as_str();
            known.contains(&word) || known.split('_').any(|part| part.len() > 3 && word.contains(part))
        };
        let near: Vec<&str> = Code::ALL.iter().filter(is_like).map(|code| code.as_str()).take(3).collect();
        let hint = if near.is_empty() { String::new() } else { format!(" (near: {})", near.join(", ")) };
        Failure::Code(word.clone(), hint)
    })
}

/// Writes all codes, one paragraph each.
fn list(style: &Style) -> String {
    let mut text = String::new();
    for code in Code::ALL {
        let severity = style.paint(Paint::of_severity(code.severity()), code.severity().as_str());
        let head = style.paint(Paint::Bold, code.as_str());
        let body = style.wrap(&format!("{} {}", code.meaning(), code.remedy()), 4);
        text += &format!("{head}  {severity}\n{body}\n");
    }
    text
}

/// Writes all there is on one code.
fn explain(code: Code, style: &Style) -> String {
    let severity = style.paint(Paint::of_severity(code.severity()), code.severity().as_str());
    let head = style.paint(Paint::Bold, code.as_str());
    let part = |title: &str, body: &str| format!("{}\n{}\n", style.paint(Paint::Bold, title), style.wrap(body, 4));
    format!(
        "{head}  {severity}\n{}{}{}",
        part("What it means", code.meaning()),
        part("What to do", code.remedy()),
        part("Rests on", code.source())
    )
}
