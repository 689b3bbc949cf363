//! Colours, signs and width: how text looks where it goes.

use std::env;

use crate::cli::args::ColorChoice;
use crate::cli::console;
use crate::findings::Severity;
use crate::report::Verdict;

/// The width where there is no terminal to ask, in columns.
const DEFAULT_WIDTH: usize = 100;
/// The least width that text is wrapped to.
const LEAST_WIDTH: usize = 40;
/// The greatest width that text is wrapped to: longer lines are hard to read.
const GREATEST_WIDTH: usize = 120;

/// A way to stand out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Paint {
    /// Heavier.
    Bold,
    /// Less important.
    Dim,
    /// Well.
    Green,
    /// On the way.
    Yellow,
    /// Not well.
    Red,
    /// Worth knowing.
    Cyan,
}

/// Which signs stand for how a server has a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Signs {
    /// It has it right.
    pub(crate) right: &'static str,
    /// It does not.
    pub(crate) wrong: &'static str,
    /// It did not answer.
    pub(crate) unanswered: &'static str,
    /// It was not asked.
    pub(crate) not_asked: &'static str,
    /// Between the zones on the way.
    pub(crate) down: &'static str,
}

/// How text looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Style {
    /// Whether colours are used.
    pub(crate) has_color: bool,
    /// Whether signs beyond ASCII are used.
    pub(crate) has_unicode: bool,
    /// How many columns there are.
    pub(crate) width: usize,
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// How it stands out.
    paint: Option<Paint>,
    /// What it holds.
    text: String,
}

impl Cell {
    /// Puts a text in a cell.
    pub(crate) fn new(paint: Option<Paint>, text: &str) -> Self {
        Self { paint, text: text.to_owned() }
    }
}

impl Paint {
    /// Returns the colour of a verdict.
    pub(crate) fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ready => Self::Green,
            Verdict::Propagating | Verdict::Partial | Verdict::Indeterminate => Self::Yellow,
            Verdict::Failing => Self::Red,
        }
    }

    /// Returns the colour of a severity.
    pub(crate) fn of_severity(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Red,
            Severity::Warning => Self::Yellow,
            Severity::Notice => Self::Cyan,
            Severity::Info => Self::Dim,
        }
    }

    /// Returns the code of the sequence that switches it on (ECMA-48 §8.3.117).
    fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Cyan => 36,
        }
    }
}

impl Style {
    /// Looks at standard output and the environment.
    pub(crate) fn of_stdout(color: ColorChoice) -> Self {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let has_color = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // https://no-color.org
            ColorChoice::Auto => {
                let is_dumb = variable("TERM").is_some_and(|term| term == "dumb");
                console::is_stdout_terminal() && variable("NO_COLOR").is_none() && !is_dumb
            }
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let has_unicode = locale.contains("utf-8") || locale.contains("utf8");
        let terminal = comfy_table::Table::new().width().map(usize::from);
        let width = terminal.filter(|_| console::is_stdout_terminal()).unwrap_or(DEFAULT_WIDTH);
        Self { has_color, has_unicode, width: width.clamp(LEAST_WIDTH, GREATEST_WIDTH) }
    }

    /// Colours a text.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        if self.has_color && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code())
        } else {
            text.to_owned()
        }
    }

    /// Returns the signs.
    pub(crate) fn signs(&self) -> Signs {
        if self.has_unicode {
            Signs { right: "\u{2713}", wrong: "\u{2717}", unanswered: "?", not_asked: "\u{b7}", down: " \u{203a} " }
        } else {
            Signs { right: "+", wrong: "x", unanswered: "?", not_asked: ".", down: " > " }
        }
    }

    /// Lays rows out in columns, every line indented by `indent` blanks; nothing is wrapped, so that it can be copied.
    pub(crate) fn table(&self, rows: &[Vec<Cell>], indent: usize) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
        if self.has_color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        for row in rows {
            table.add_row(row.iter().map(|cell| {
                let plain = comfy_table::Cell::new(&cell.text);
                match cell.paint {
                    None => plain,
                    Some(Paint::Bold) => plain.add_attribute(comfy_table::Attribute::Bold),
                    Some(Paint::Dim) => plain.add_attribute(comfy_table::Attribute::Dim),
                    Some(Paint::Green) => plain.fg(comfy_table::Color::DarkGreen),
                    Some(Paint::Yellow) => plain.fg(comfy_table::Color::DarkYellow),
                    Some(Paint::Red) => plain.fg(comfy_table::Color::DarkRed),
                    Some(Paint::Cyan) => plain.fg(comfy_table::Color::DarkCyan),
                }
            }));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let blanks = " ".repeat(indent);
        let lines = table.trim_fmt();
        lines.lines().map(|line| format!("{blanks}{line}")).collect::<Vec<_>>().join("\n")
    }

    /// Wraps a text between words, every line indented by `indent` blanks; a word that is too long stays whole, so
    /// that it can be copied. Line ends in the text stay.
    pub(crate) fn wrap(&self, text: &str, indent: usize) -> String {
        let room = self.width.saturating_sub(indent).max(LEAST_WIDTH / 2);
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split_whitespace() {
                if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                    lines.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            lines.push(line);
        }
        let blanks = " ".repeat(indent);
        lines.iter().map(|line| format!("{blanks}{line}")).collect::<Vec<_>>().join("\n")
    }
}

/// Makes text from elsewhere safe for a terminal: control characters and those that turn the direction of writing are
/// escaped.
pub(crate) fn printable(text: &str) -> String {
    let turns = |character: char| matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if (character.is_control() && character != '\n') || turns(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain text of a width.
    fn plain(width: usize) -> Style {
        Style { has_color: false, has_unicode: false, width }
    }

    #[test]
    fn text_is_wrapped_between_words_and_long_words_stay_whole() {
        let long = "x".repeat(60);
        let text = format!("one two three four five six seven eight {long} nine\nten");
        assert_eq!(
            plain(40).wrap(&text, 2),
            format!("  one two three four five six seven\n  eight\n  {long}\n  nine\n  ten")
        );
    }

    #[test]
    fn colours_appear_only_where_they_are_on() {
        assert_eq!(plain(80).paint(Paint::Red, "no"), "no");
        let style = Style { has_color: true, ..plain(80) };
        assert_eq!(style.paint(Paint::Red, "no"), "\u{1b}[31mno\u{1b}[0m");
    }

    #[test]
    fn what_would_steer_a_terminal_is_escaped() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\nd\u{fc}"), "a\\u{1b}[2Jb\\u{202e}c\nd\u{fc}");
    }
}
