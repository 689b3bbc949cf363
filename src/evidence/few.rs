//! A map of few keys.

/// A map of few keys, in their order.
///
/// A check looks up some hundred times what it asked some ten questions for. That two names are not the same is told by
/// their lengths, most of the time, and that they are by their sharing octets; which comes first is told by reading both. So
/// keys are found by equality as long as there are few of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Few<K, V> {
    /// What is known, sorted by key.
    entries: Vec<(K, V)>,
}

/// Up to how many keys are looked at one after the other. A hostile zone can bring about more of them.
const FEW: usize = 32;

impl<K: Ord, V> Few<K, V> {
    /// Starts with nothing.
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let at = self.find(key)?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// Takes in the value of a key, in place of what it had before.
    pub(super) fn insert(&mut self, key: K, value: V) {
        match self.place_of(&key) {
            Ok(at) => {
                if let Some((_, known)) = self.entries.get_mut(at) {
                    *known = value;
                }
            }
            Err(at) => self.entries.insert(at, (key, value)),
        }
    }

    /// Changes the value of a key, which starts as the default.
    pub(super) fn change(&mut self, key: K, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        let place = self.place_of(&key);
        let (Ok(at) | Err(at)) = place;
        if place.is_err() {
            self.entries.insert(at, (key, V::default()));
        }
        if let Some((_, value)) = self.entries.get_mut(at) {
            change(value);
        }
    }

    /// Iterates over keys and values, in order of the keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Returns where a key is.
    fn find(&self, key: &K) -> Option<usize> {
        match self.entries.len() {
            ..=FEW => self.entries.iter().position(|(known, _)| known == key),
            _ => self.search(key).ok(),
        }
    }

    /// Returns where a key is, or where it would be.
    fn place_of(&self, key: &K) -> Result<usize, usize> {
        self.find(key).map_or_else(|| self.search(key), Ok)
    }

    /// Does the same by the order of the keys.
    fn search(&self, key: &K) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| known.cmp(key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn few_or_many_it_holds_what_a_tree_holds(entries in proptest::collection::vec((0_u8..80, any::<u8>()), 0..160)) {
            let (mut few, mut tree) = (Few::new(), BTreeMap::new());
            for (key, value) in entries {
                few.insert(key, value);
                tree.insert(key, value);
                few.change(key / 2, |known| *known ^= value);
                *tree.entry(key / 2).or_default() ^= value;
                prop_assert!(few.iter().eq(tree.iter()));
            }
            for key in 0..80 {
                prop_assert_eq!(few.get(&key), tree.get(&key));
            }
        }
    }
}
