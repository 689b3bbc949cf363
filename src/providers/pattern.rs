//! How the table of providers writes names.

use serde::Deserialize;

/// A pattern of names: one glob for each of the rightmost labels, the top-level one first.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct Pattern(Vec<String>);

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self(text.rsplit('.').map(str::to_owned).collect())
    }
}

impl Pattern {
    /// Says whether labels, the top-level one first, are at or below what the pattern names.
    pub(super) fn matches(&self, labels: &[&[u8]]) -> bool {
        labels.len() >= self.0.len()
            && self.0.iter().zip(labels).all(|(glob, label)| glob_matches(glob.as_bytes(), label))
    }

    /// Returns the last two labels, the top-level one first, where both stand for themselves.
    pub(super) fn plain_ending(&self) -> Option<[&[u8]; 2]> {
        let is_plain = |label: &&String| !label.contains(['*', '[']);
        let [top, second, ..] = self.0.as_slice() else { return None };
        [top, second].iter().all(is_plain).then_some([top.as_bytes(), second.as_bytes()])
    }

    /// Returns how many labels the pattern names.
    pub(super) fn label_count(&self) -> usize {
        self.0.len()
    }
}

/// Matches one label, in any case, with a glob in lower case: `*` is any run, `[a-e]` one of a range.
fn glob_matches(glob: &[u8], label: &[u8]) -> bool {
    match (glob, label) {
        ([], _) => label.is_empty(),
        ([b'*', rest @ ..], [_, tail @ ..]) => glob_matches(rest, label) || glob_matches(glob, tail),
        ([b'*', rest @ ..], []) => glob_matches(rest, label),
        ([b'[', low, b'-', high, b']', rest @ ..], [octet, tail @ ..]) => {
            (low..=high).contains(&&octet.to_ascii_lowercase()) && glob_matches(rest, tail)
        }
        ([wanted, rest @ ..], [octet, tail @ ..]) => *wanted == octet.to_ascii_lowercase() && glob_matches(rest, tail),
        (_, []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_labels_from_the_right() {
        let rows = [
            ("example.com", "ns1.example.com", true),
            ("example.com", "example.com", true),
            ("example.com", "ns1.badexample.com", false),
            ("example.com", "example.com.example.net", false),
            ("example.com", "com", false),
            ("ns[1-3].example.com", "ns3.example.com", true),
            ("ns[1-3].example.com", "NS3.Example.COM", true),
            ("ns[1-3].example.com", "ns4.example.com", false),
            ("ns[1-3].example.com", "ns.example.com", false),
            ("ns[1-3].example.com", "ns12.example.com", false),
            ("*ns*.example.com", "ns.example.com", true),
            ("*ns*.example.com", "pdns01.example.com", true),
            ("*ns*.example.com", "www.example.com", false),
            ("a*b*c.example.com", "abxbc.example.com", true),
            ("a*b*c.example.com", "abxb.example.com", false),
        ];
        for (pattern, name, expected) in rows {
            let labels: Vec<&[u8]> = name.rsplit('.').map(str::as_bytes).collect();
            assert_eq!(Pattern::from(pattern.to_owned()).matches(&labels), expected, "{pattern} {name}");
        }
    }
}
