//! A bounded map of shared state, one value a key.
//!
//! The least used values go first when it is full, and one that somebody holds never does. What was dropped
//! starts afresh when its key comes up again.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter};

/// A bounded map whose values are kept while they are in use.
pub(super) struct PerKey<K, V> {
    /// The values.
    values: Cache<K, Arc<V>, UnitWeighter, DefaultHashBuilder, KeepUsed>,
}

impl<K: Clone + Eq + Hash, V> PerKey<K, V> {
    /// Makes an empty map for at most `capacity` values that nobody holds.
    pub(super) fn new(capacity: usize) -> Self {
        let weight = u64::try_from(capacity).unwrap_or(u64::MAX);
        Self { values: Cache::with(capacity, weight, UnitWeighter, DefaultHashBuilder::default(), KeepUsed) }
    }

    /// Returns the value of a key, made by `make` where there is none.
    pub(super) fn get_or_make(&self, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
        let Ok(value) = self.values.get_or_insert_with(key, || Ok::<_, Infallible>(Arc::new(make())));
        value
    }
}

/// Keeps what somebody holds.
#[derive(Clone)]
struct KeepUsed;

impl<K, V> Lifecycle<K, Arc<V>> for KeepUsed {
    type RequestState = ();

    fn is_pinned(&self, _key: &K, value: &Arc<V>) -> bool {
        Arc::strong_count(value) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_keeps_what_is_held() {
        let map = PerKey::<u32, u32>::new(64);
        let held = map.get_or_make(&0, || 7);
        for key in 1..10_000 {
            let _ = map.get_or_make(&key, || key);
        }
        assert!(Arc::ptr_eq(&held, &map.get_or_make(&0, || 8)), "a value in use was dropped");
        let kept = (0..10_000).filter(|key| map.values.get(key).is_some()).count();
        assert!((1..=65).contains(&kept), "{kept} values are kept");
    }
}
