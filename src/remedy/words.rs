//! How names, lists and foreign text stand in a sentence.

use std::fmt::Display;

use crate::dns::name::Name;

/// The most characters of a foreign text in a sentence; an SPF record of this length is a long one.
const MAX_SHOWN_CHARACTERS: usize = 256;
/// The most things that a sentence lists one by one.
const MAX_LISTED: usize = 8;

/// Shows a name without its final dot.
pub(super) fn shown(name: &Name) -> String {
    cut(&name.to_text_without_dot())
}

/// Shows foreign text: what is no printable ASCII is escaped, and the whole is cut.
pub(super) fn quoted(text: &str) -> String {
    cut(&printable(text))
}

/// Escapes what is no printable ASCII: control characters, and those that turn the reading direction.
pub(super) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' '..='~' => shown.push(character),
            _ => shown.extend(character.escape_unicode()),
        }
    }
    shown
}

/// Cuts a text that is too long for a sentence.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Lists things: "a", "a and b", "a, b and c"; the first eight by name.
pub(super) fn list<T: Display>(things: impl IntoIterator<Item = T>) -> String {
    let mut named: Vec<String> = things.into_iter().map(|thing| thing.to_string()).collect();
    let others = named.len().saturating_sub(MAX_LISTED);
    if others > 0 {
        named.truncate(MAX_LISTED);
        named.push(format!("{others} more"));
    }
    match named.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Lists names without their final dots.
pub(super) fn list_names<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    list(names.into_iter().map(shown))
}

/// Sets a text behind others in parentheses; nothing where it is empty.
pub(super) fn aside(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

/// Chooses the form of a word by a number.
pub(super) fn plural(count: usize, one: &'static str, several: &'static str) -> &'static str {
    if count == 1 { one } else { several }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_as_people_speak() {
        for (count, listed) in
            [(0, ""), (1, "1"), (2, "1 and 2"), (3, "1, 2 and 3"), (10, "1, 2, 3, 4, 5, 6, 7, 8 and 2 more")]
        {
            assert_eq!(list(1..=count), listed);
        }
    }

    #[test]
    fn foreign_text_is_escaped_and_cut() {
        assert_eq!(quoted("a\x1b[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
        assert_eq!(quoted(&"x".repeat(300)), format!("{}...", "x".repeat(256)));
        assert_eq!(quoted(&"x".repeat(256)), "x".repeat(256));
    }
}
