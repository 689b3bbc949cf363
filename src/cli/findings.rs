//! `zoneproof findings`: the catalogue.

use serde::Serialize;

use crate::cli::args::{ColorChoice, FindingsArguments};
use crate::cli::failure::Failure;
use crate::cli::style::{Paint, Style};
use crate::cli::{WELL, console};
use crate::findings::pages::page;
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
    /// What was asked and seen that proves it, where that is written down.
    how: Option<&'static str>,
    /// What looks like it and is something else.
    lookalikes: Vec<Lookalike>,
}

/// A code that another one looks like.
#[derive(Serialize)]
struct Lookalike {
    /// The word.
    code: &'static str,
    /// What tells the two apart.
    difference: &'static str,
}

impl From<Code> for Entry {
    fn from(code: Code) -> Self {
        Self {
            code: code.as_str(),
            severity: code.severity(),
            meaning: code.meaning(),
            remedy: code.remedy(),
            source: code.source(),
            how: page(code).map(|page| page.how),
            lookalikes: lookalikes(code).map(|(code, difference)| Lookalike { code, difference }).collect(),
        }
    }
}

/// Iterates over what looks like a code and is something else: the word, and what tells the two apart.
fn lookalikes(code: Code) -> impl Iterator<Item = (&'static str, &'static str)> {
    page(code).into_iter().flat_map(|page| page.lookalikes).map(|(code, difference)| (code.as_str(), *difference))
}

/// Writes the whole catalogue in Markdown, each code a section.
fn markdown() -> String {
    let mut text = String::from(
        "# Findings\n\nEverything that `zoneproof` can find, in the order in which one finding explains another. Made from the \
         catalogue\nby `zoneproof findings --markdown`; `zoneproof findings CODE` prints one of them.\n\n\
         | Code | Severity | Meaning |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let word = code.as_str();
        text += &format!("| [`{word}`](#{word}) | {} | {} |\n", code.severity().as_str(), in_cell(code.meaning()));
    }
    for code in Code::ALL {
        text += &format!("\n## {}\n\n**{}** {}\n", code.as_str(), code.severity().as_str(), escaped(code.meaning()));
        if let Some(page) = page(*code) {
            text += &format!("\n*How we know.* {}\n\n*What else it could be.*\n\n", escaped(page.how));
            for (other, apart) in lookalikes(*code) {
                text += &format!("- [`{other}`](#{other}): {}\n", escaped(apart));
            }
        }
        text += &format!("\n*What to do.* {}\n\n*Rests on.* {}\n", escaped(code.remedy()), escaped(code.source()));
    }
    text
}

/// Keeps Markdown from reading marks in a text.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|each| if "*_<>[]`".contains(each) { vec!['\\', each] } else { vec![each] }).collect()
}

/// Keeps a text within its cell.
fn in_cell(text: &str) -> String {
    escaped(text).replace('|', "\\|")
}

/// Prints the catalogue or one code of it.
pub(super) fn run(arguments: &FindingsArguments, color: ColorChoice) -> Result<u8, Failure> {
    if arguments.markdown {
        console::print(&markdown())?;
        return Ok(WELL);
    }
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
    let mut text = format!("{head}  {severity}\n{}", part("What it means", code.meaning()));
    if let Some(page) = page(code) {
        text += &part("How we know", page.how);
        let others = lookalikes(code).map(|(other, apart)| style.wrap(&format!("{other}: {apart}"), 4));
        text += &format!(
            "{}\n{}\n",
            style.paint(Paint::Bold, "What else it could be"),
            others.collect::<Vec<_>>().join("\n")
        );
    }
    text += &part("What to do", code.remedy());
    text += &part("Rests on", code.source());
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Where the page lies.
    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.github/FINDINGS.md");

    #[test]
    fn the_page_in_the_repository_is_what_the_catalogue_makes() {
        if std::env::var_os("UPDATE_FINDINGS").is_some() {
            fs::write(PAGE, markdown()).unwrap();
        }
        let page = fs::read_to_string(PAGE).unwrap_or_default();
        assert!(page == markdown(), "{PAGE} has drifted; UPDATE_FINDINGS=1 makes it anew");
    }

    #[test]
    fn a_page_tells_meaning_proof_lookalikes_remedy_and_standard() {
        let style = Style { has_color: false, has_unicode: false, width: 100 };
        insta::assert_snapshot!("page", explain(Code::CfFlattened, &style));
    }

    #[test]
    fn marks_of_markdown_are_text() {
        assert_eq!(
            escaped("a wildcard (*) of _domainkey [x] <b> `c`"),
            r"a wildcard (\*) of \_domainkey \[x\] \<b\> \`c\`"
        );
        assert_eq!(in_cell("a|b"), r"a\|b");
    }
}
