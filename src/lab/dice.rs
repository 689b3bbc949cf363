//! Chance that comes out the same everywhere and for ever, so that a seed is a fleet.

/// The letters of tokens.
const TOKEN_LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// How long a token of Easy DKIM is.
const TOKEN_LENGTH: usize = 32;

/// A generator of numbers: SplitMix64, which no release of a library will change.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Starts at a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number with all its bits at random.
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Returns a number below `limit`; zero where that is zero.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let number = self.bits().checked_rem(limit).unwrap_or_default();
        usize::try_from(number).unwrap_or_default()
    }

    /// Says yes so many times in a hundred.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Returns one of some things; the default where there is none.
    pub(super) fn pick<T: Copy + Default>(&mut self, things: &[T]) -> T {
        things.get(self.below(things.len())).copied().unwrap_or_default()
    }

    /// Puts things into another order.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }

    /// Returns a token as those of Easy DKIM are.
    pub(super) fn token(&mut self) -> String {
        (0..TOKEN_LENGTH).map(|_| char::from(self.pick(TOKEN_LETTERS))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence() {
        let roll = |seed| {
            let mut dice = Dice::new(seed);
            (dice.bits(), dice.token())
        };
        assert_eq!(roll(7), roll(7));
        assert_ne!(roll(7), roll(8));
        // The first number of SplitMix64 from zero.
        assert_eq!(Dice::new(0).bits(), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn a_shuffle_keeps_what_there_is() {
        let mut things: Vec<usize> = (0..50).collect();
        Dice::new(1).shuffle(&mut things);
        assert_ne!(things, (0..50).collect::<Vec<_>>());
        things.sort_unstable();
        assert_eq!(things, (0..50).collect::<Vec<_>>());
    }
}
