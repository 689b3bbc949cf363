//! What the text records of a sender domain say: SPF, DKIM keys, DMARC policies.
//!
//! Reads the octets of TXT records that somebody else fetched. Says what a record means by its RFC,
//! and where exactly it is broken; never asks the DNS and never judges whether the record suits.

pub mod dkim;
pub mod dmarc;
pub mod spf;
pub mod tag_list;
pub mod txt;

/// Most octets of an offending text that an error repeats; ours, so that a hostile record stays readable.
const EXCERPT_MAX_OCTETS: usize = 60;

/// Repeats a piece of a record in an error: cut short, and with all but printable ASCII escaped.
fn excerpt(octets: &[u8]) -> String {
    match octets.get(..EXCERPT_MAX_OCTETS) {
        Some(start) if octets.len() > EXCERPT_MAX_OCTETS => format!("{}...", start.escape_ascii()),
        _ => octets.escape_ascii().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads each seed of `kind`, and holds whether it `is_right` against its name: right, wrong or hostile.
    pub(super) fn each_fixture(kind: &str, is_right: impl Fn(&[u8]) -> bool) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/records").join(kind);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let right = is_right(&std::fs::read(&path).unwrap());
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match name.split('-').next() {
                Some("right") => assert!(right, "{name}"),
                Some("wrong") => assert!(!right, "{name}"),
                Some("hostile") => {}
                _ => panic!("{name} does not say what it is"),
            }
        }
    }

    #[test]
    fn an_excerpt_is_short_and_printable() {
        assert_eq!(excerpt(b"a\x00\xe2"), r"a\x00\xe2");
        assert_eq!(excerpt(&[b'x'; 60]), "x".repeat(60));
        assert_eq!(excerpt(&[b'x'; 61]), format!("{}...", "x".repeat(60)));
    }
}
