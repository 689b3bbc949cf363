//! Chance that comes out the same everywhere, so that a seed is a corpus.

/// The letters of tokens.
const TOKEN_LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";
/// How long a token of Easy DKIM is.
const TOKEN_LENGTH: usize = 32;

/// A generator of numbers: SplitMix64.
pub(crate) struct Dice(u64);

impl Dice {
    /// Starts at a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `limit`, which is not zero.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % limit as u64) as usize
    }

    /// Returns one of some things.
    pub(crate) fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }

    /// Returns a token as those of Easy DKIM are.
    pub(crate) fn token(&mut self) -> String {
        (0..TOKEN_LENGTH).map(|_| char::from(self.pick(TOKEN_LETTERS))).collect()
    }
}
