//! How much foreign data a report carries.

/// The most octets of data kept of one set of records, as they stand in JSON; a reply over TCP may have 65,535.
const MAX_DATA_OCTETS: usize = 4096;
/// What a string costs beside its characters: two quotation marks and a comma.
const STRING_OCTETS: usize = 3;
/// The most octets that one character costs: a control character, as `\u001f`.
const MAX_CHARACTER_OCTETS: usize = 6;
/// The most octets that the marker has: ` [18446744073709551615 octets left out]`.
const MARKER_OCTETS: usize = 40;

/// Keeps the first data of a set, 4 KiB at most; what is kept last then ends with a word on how much is left out.
pub(super) fn bounded(data: Vec<String>) -> Vec<String> {
    // Nearly all data is so short that its characters need not be looked at.
    let at_most = data.iter().map(|text| STRING_OCTETS + MAX_CHARACTER_OCTETS * text.len()).sum::<usize>();
    if at_most <= MAX_DATA_OCTETS || data.iter().map(|text| cost(text)).sum::<usize>() <= MAX_DATA_OCTETS {
        return data;
    }
    let mut left_out: usize = data.iter().map(String::len).sum();
    let mut room = MAX_DATA_OCTETS - MARKER_OCTETS;
    let mut kept: Vec<String> = Vec::new();
    for text in data {
        if room < STRING_OCTETS + MAX_CHARACTER_OCTETS {
            break;
        }
        let fits = fitting(&text, room - STRING_OCTETS);
        let part = text.get(..fits).unwrap_or_default();
        room = room.saturating_sub(cost(part));
        left_out -= fits;
        kept.push(part.to_owned());
        if fits < text.len() {
            break;
        }
    }
    if let Some(last) = kept.last_mut() {
        last.push_str(&format!(" [{left_out} octets left out]"));
    }
    kept
}

/// Returns what a string costs in JSON.
fn cost(text: &str) -> usize {
    STRING_OCTETS + text.chars().map(character_cost).sum::<usize>()
}

/// Returns what a character costs in JSON.
fn character_cost(character: char) -> usize {
    match character {
        '"' | '\\' => 2,
        '\0'..='\x1f' => MAX_CHARACTER_OCTETS,
        _ => character.len_utf8(),
    }
}

/// Returns how many octets of `text`, in whole characters, cost no more than `room`.
fn fitting(text: &str, room: usize) -> usize {
    let mut spent = 0usize;
    let over = text.char_indices().find(|(_, character)| {
        spent += character_cost(*character);
        spent > room
    });
    over.map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_short_is_kept() {
        let data = vec!["a".to_owned(), String::new(), "\"b\"".to_owned()];
        assert_eq!(bounded(data.clone()), data);
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let kept = bounded(vec!["a".to_owned(), "x".repeat(5000), "b".to_owned()]);
        let shown = kept[1].bytes().filter(|octet| *octet == b'x').count();
        assert_eq!(kept, ["a".to_owned(), format!("{} [{} octets left out]", "x".repeat(shown), 5001 - shown)]);
        assert!(shown > 4000);
    }

    #[test]
    fn nothing_is_quoted_from_behind_a_gap() {
        let kept = bounded((0..2000).map(|number| number.to_string()).collect());
        let whole: Vec<String> = (0..kept.len() - 1).map(|number| number.to_string()).collect();
        assert_eq!(kept[..kept.len() - 1], whole);
        assert!(kept.len() > 500);
    }

    proptest! {
        #[test]
        fn never_more_than_4_kib_of_json(data in prop::collection::vec("[\\PC\\x00-\\x1f\"\\\\]{0,1500}", 0..40)) {
            let kept = bounded(data);
            prop_assert!(serde_json::to_string(&kept).unwrap().len() <= MAX_DATA_OCTETS + 2);
        }
    }
}
