//! The page of each code: how it is known, and what else looks like it.
//!
//! Beside the catalogue, whose lines stay short. A code without a page is explained by its line in the catalogue alone.

mod dkim;
mod mail;
mod zone;

use crate::findings::catalogue::Code;

/// What is told of a code beside its line in the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// What was asked and seen that proves it: the fingerprint.
    pub how: &'static str,
    /// What looks like it and is something else: the code, and what tells the two apart.
    pub lookalikes: &'static [(Code, &'static str)],
}

/// Returns the page of a code.
#[must_use]
pub fn page(code: Code) -> Option<&'static Page> {
    PAGES.into_iter().flatten().find(|(known, _)| *known == code).map(|(_, page)| page)
}

/// Makes a row of the table.
const fn row(code: Code, how: &'static str, lookalikes: &'static [(Code, &'static str)]) -> (Code, Page) {
    (code, Page { how, lookalikes })
}

/// The pages, in the catalogue's order.
const PAGES: [&[(Code, Page)]; 4] = [zone::CAUSES, dkim::PAGES, zone::HEALTH, mail::PAGES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_in_order_whole_sentences_and_told_apart_from_others() {
        let mut before = None;
        for (code, page) in PAGES.into_iter().flatten() {
            assert!(before.is_none_or(|before| before < *code), "{} is out of order or twice", code.as_str());
            before = Some(*code);
            assert!(page.how.ends_with('.') && page.how.starts_with(char::is_uppercase), "{}", code.as_str());
            assert!(!page.lookalikes.is_empty(), "{} looks like nothing else", code.as_str());
            for (other, apart) in page.lookalikes {
                assert_ne!(other, code);
                assert!(apart.ends_with('.') && apart.starts_with(char::is_lowercase), "{}: {apart}", code.as_str());
            }
        }
    }

    #[test]
    fn codes_without_a_page_are_listed() {
        let without: Vec<&str> =
            Code::ALL.iter().filter(|code| page(**code).is_none()).map(|code| code.as_str()).collect();
        let pages = PAGES.into_iter().flatten().count();
        println!("{pages} of {} codes have a page; without: {}", Code::ALL.len(), without.join(" "));
        assert_eq!(pages + without.len(), Code::ALL.len());
        assert!(pages >= KNOWN_PAGES, "a page got lost");
    }

    /// How many pages there are at least: a page is never taken away while its code is there.
    const KNOWN_PAGES: usize = 118;
}
