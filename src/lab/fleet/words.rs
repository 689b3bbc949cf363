//! Names of tenants who do not exist.

use std::collections::HashSet;

use crate::lab::dice::Dice;

/// First halves: trees, weather, colours, manners.
const FIRSTS: &[&str] = &[
    "alder", "amber", "ashen", "birch", "bramble", "bright", "brisk", "cedar", "chalk", "clover", "copper", "coral",
    "crisp", "dapple", "dusky", "early", "elder", "fallow", "fern", "flint", "foggy", "gentle", "gilded", "hazel",
    "heather", "hollow", "ivory", "juniper", "kindly", "larch", "linden", "lively", "maple", "mellow", "misty",
    "mossy", "nimble", "oaken", "ochre", "pebble", "pewter", "quiet", "rowan", "russet", "sable", "silent", "sorrel",
    "steady", "sunlit", "tawny", "thistle", "velvet", "willow", "windy", "winter", "wooden", "yarrow", "young",
];
/// Second halves: places and workshops.
const SECONDS: &[&str] = &[
    "anvil", "arbor", "atlas", "basin", "beacon", "bench", "bridge", "brook", "canyon", "cellar", "cooper", "cottage",
    "dairy", "delta", "depot", "ferry", "fjord", "forge", "foundry", "garden", "glade", "grove", "harbor", "haven",
    "hearth", "hollows", "island", "kiln", "lagoon", "lantern", "ledger", "loft", "lodge", "market", "meadow", "mill",
    "orchard", "outpost", "parcel", "pier", "pottery", "quarry", "reef", "ridge", "saddle", "sawmill", "shore",
    "summit", "tannery", "terrace", "trellis", "valley", "weaver", "wharf", "window", "yard",
];
/// How often another pair is tried before a number is put behind one.
const MAX_TRIES: u32 = 20;

/// Hands out names, each once.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// Makes up one label that was not handed out before.
    pub(super) fn next(&mut self, dice: &mut Dice) -> String {
        let mut label = String::new();
        for _ in 0..MAX_TRIES {
            label = format!("{}-{}", dice.pick(FIRSTS), dice.pick(SECONDS));
            if self.0.insert(label.clone()) {
                return label;
            }
        }
        let mut number = self.0.len();
        loop {
            let numbered = format!("{label}-{number}");
            if self.0.insert(numbered.clone()) {
                return numbered;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_run_out() {
        let (mut names, mut dice) = (Names::default(), Dice::new(1));
        let all: HashSet<String> = (0..10_000).map(|_| names.next(&mut dice)).collect();
        assert_eq!(all.len(), 10_000);
    }
}
