//! Which rows are done: ranges, since rows end nearly in the order in which they start.

use std::collections::BTreeMap;

/// A set of row numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RowSet {
    /// Ranges that do not touch: the first row and the last.
    ranges: BTreeMap<u64, u64>,
}

impl RowSet {
    /// Puts a row in; says whether it was not there before.
    pub fn insert(&mut self, row: u64) -> bool {
        if self.contains(row) {
            return false;
        }
        let last = match row.checked_add(1).and_then(|next| self.ranges.remove(&next)) {
            Some(last) => last,
            None => row,
        };
        match self.ranges.range_mut(..row).next_back() {
            Some((_, before)) if before.checked_add(1) == Some(row) => *before = last,
            _ => {
                self.ranges.insert(row, last);
            }
        }
        true
    }

    /// Says whether a row is there.
    #[must_use]
    pub fn contains(&self, row: u64) -> bool {
        self.ranges.range(..=row).next_back().is_some_and(|(_, last)| row <= *last)
    }

    /// Counts the rows.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges
            .iter()
            .fold(0_u64, |sum, (first, last)| sum.saturating_add(last.saturating_sub(*first)).saturating_add(1))
    }

    /// Says whether no row is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_and_nothing_else(rows in prop::collection::vec(0_u64..40, 0..60)) {
            let mut set = RowSet::default();
            let mut plain = BTreeSet::new();
            for row in rows {
                prop_assert_eq!(set.insert(row), plain.insert(row));
            }
            prop_assert_eq!(set.len(), plain.len() as u64);
            for row in 0..42 {
                prop_assert_eq!(set.contains(row), plain.contains(&row));
            }
        }
    }

    #[test]
    fn rows_in_a_row_are_one_range_up_to_the_last_number() {
        let mut set = RowSet::default();
        for row in [3, 1, 2, u64::MAX, u64::MAX - 1] {
            assert!(set.insert(row));
        }
        assert_eq!(set.ranges, BTreeMap::from([(1, 3), (u64::MAX - 1, u64::MAX)]));
    }
}
