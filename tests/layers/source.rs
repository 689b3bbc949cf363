//! Reads Rust source as tokens: enough to tell which paths it names, and no more.
//!
//! It cuts, drops what is only for tests, and finds paths. It does not know a rule of the house.

/// Finds the first component of every path that starts at the crate's root, be it by `crate::`,
/// by a brace list after it, or by as many `super::` as the module is deep.
pub(crate) fn crate_paths<'a>(code: &[Token<'a>], depth: usize) -> Vec<Token<'a>> {
    let up = "super::".repeat(depth);
    let mut heads = Vec::new();
    for (rest, before) in positions(code) {
        let length = match () {
            () if before.last().is_some_and(|token| token.text == "::") => continue,
            () if starts(rest, "crate::") => 2,
            () if starts(rest, &up) => 2 * depth,
            () => continue,
        };
        let mut level = 0_usize;
        let mut is_head = true;
        for token in rest.iter().skip(length) {
            match token.text {
                "{" => level += 1,
                "}" => level = level.saturating_sub(1),
                "," => is_head = level == 1,
                _ if is_head => {
                    heads.push(*token);
                    is_head = false;
                }
                _ => {}
            }
            if level == 0 {
                break;
            }
        }
    }
    heads
}

/// Tells whether the name that `rest` starts with is a crate's: it heads a path or is imported.
pub(crate) fn is_crate_name(rest: &[Token<'_>], before: &[Token<'_>]) -> bool {
    let last = |back: usize| before.iter().rev().nth(back).map_or("", |token| token.text);
    let is_segment = last(0) == "." || last(0) == "::" && last(1).ends_with(|c: char| is_word(c) || c == '>');
    !is_segment && (rest.get(1).is_some_and(|token| token.text == "::") || ["use", "crate"].contains(&last(0)))
}

/// One token of Rust: a word, `::`, or a single sign.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token<'a> {
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// The token as it stands in the source.
    pub(crate) text: &'a str,
}

/// Pairs every position with what follows it and what stands before it.
pub(crate) fn positions<'t, 'a>(tokens: &'t [Token<'a>]) -> impl Iterator<Item = (&'t [Token<'a>], &'t [Token<'a>])> {
    (0..tokens.len()).map(|at| tokens.split_at(at)).map(|(before, rest)| (rest, before))
}

/// Tells whether `tokens` begin with those of `pattern`, which is written without blanks.
pub(crate) fn starts(tokens: &[Token<'_>], pattern: &str) -> bool {
    let mut left = pattern;
    for token in tokens {
        match left.strip_prefix(token.text) {
            _ if left.is_empty() => return true,
            Some(tail) => left = tail,
            None => return false,
        }
    }
    left.is_empty()
}

/// Tells whether a character can stand in a name.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Drops every item under `#[cfg(test)]` (or `cfg(all(test, ..))`); returns what is left, and the
/// names of the modules in other files that were dropped with it.
pub(crate) fn without_tests<'a>(tokens: &[Token<'a>]) -> (Vec<Token<'a>>, Vec<&'a str>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut rest = tokens;
    while let Some((first, tail)) = rest.split_first() {
        let attribute = rest.iter().take_while(|token| token.text != "]");
        let is_gate = starts(rest, "#[cfg(") || starts(rest, "#![cfg(");
        let names = |word: &str| attribute.clone().any(|token| token.text == word);
        if !is_gate || !names("test") || names("not") {
            kept.push(*first);
            rest = tail;
            continue;
        }
        if names("!") {
            break;
        }
        let item = rest.get(attribute.count() + 1..).unwrap_or_default();
        let mut level = 0_i32;
        let is_end = |token: &Token<'_>| {
            level +=
                i32::from(["{", "(", "["].contains(&token.text)) - i32::from(["}", ")", "]"].contains(&token.text));
            level < 0 || level == 0 && [";", "}"].contains(&token.text)
        };
        let length = item.iter().position(is_end).map_or(item.len(), |at| at + 1);
        let (dropped, tail) = item.split_at(length);
        modules.extend(dropped.windows(3).filter_map(|window| match window {
            [keyword, name, end] if keyword.text == "mod" && end.text == ";" => Some(name.text),
            _ => None,
        }));
        rest = tail;
    }
    (kept, modules)
}

/// Cuts Rust source into tokens; comments, strings, character literals and blanks fall away.
pub(crate) fn lex(source: &str) -> Vec<Token<'_>> {
    let (mut rest, mut line, mut tokens) = (source, 1, Vec::new());
    while !rest.is_empty() {
        let (is_code, length) = measure(rest);
        let (text, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if is_code {
            tokens.push(Token { line, text });
        }
        line += text.matches('\n').count();
        rest = tail;
    }
    tokens
}

/// Measures the token at the start of `rest`, in octets, and tells whether it is code.
fn measure(rest: &str) -> (bool, usize) {
    let upto = |end: &str, skip: usize| {
        rest.get(skip..).and_then(|tail| tail.find(end)).map_or(rest.len(), |at| skip + at + end.len())
    };
    if rest.starts_with("//") {
        return (false, upto("\n", 0));
    }
    if rest.starts_with("/*") {
        return (false, block_comment(rest));
    }
    if rest.starts_with("::") {
        return (true, 2);
    }
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| rest.starts_with(prefix)).unwrap_or("");
    let after = rest.get(prefix.len()..).unwrap_or_default();
    let hashes = if prefix.ends_with('r') { after.len() - after.trim_start_matches('#').len() } else { 0 };
    if after.get(hashes..).is_some_and(|text| text.starts_with('"')) {
        let start = prefix.len() + hashes + 1;
        let raw_end = format!("\"{}", "#".repeat(hashes));
        return (false, if prefix.ends_with('r') { upto(&raw_end, start) } else { quoted(rest, start, '"') });
    }
    let mut characters = rest.chars();
    match (characters.next(), characters.next(), characters.next()) {
        (Some('\''), Some('\\'), _) => (false, quoted(rest, 1, '\'')),
        (Some('\''), Some(c), Some('\'')) => (false, c.len_utf8() + 2),
        (Some('\''), ..) => (false, 1 + rest.get(1..).and_then(|name| name.find(|c| !is_word(c))).unwrap_or(0)),
        (Some(c), ..) if is_word(c) => (true, rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
        (first, ..) => (first.is_some_and(|c| !c.is_whitespace()), first.map_or(1, char::len_utf8)),
    }
}

/// Measures a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let (mut level, mut length) = (0_usize, 0_usize);
    while let Some(tail) = rest.get(length..) {
        if tail.starts_with("/*") {
            level += 1;
            length += 2;
        } else if tail.starts_with("*/") {
            level -= 1;
            length += 2;
        } else {
            length += tail.chars().next().map_or(1, char::len_utf8);
        }
        if level == 0 {
            return length;
        }
    }
    rest.len()
}

/// Measures a quoted literal whose content starts at octet `start`; a backslash guards one sign.
fn quoted(rest: &str, start: usize, end: char) -> usize {
    let mut is_guarded = false;
    for (at, c) in rest.char_indices().skip_while(|(at, _)| *at < start) {
        match c {
            _ if is_guarded => is_guarded = false,
            '\\' => is_guarded = true,
            _ if c == end => return at + 1,
            _ => {}
        }
    }
    rest.len()
}
