//! Where a chain of CNAMEs leads.

use crate::dns::bailiwick::MAX_CHAIN_LINKS;
use crate::dns::name::Name;
use crate::dns::rrset::{Question, RecordType};
use crate::findings::inquiry::{Inquiry, Sight};

/// How a chain of CNAMEs goes on.
#[derive(Clone, Debug)]
pub(super) struct Chase<'e> {
    /// The names that the chain runs over, the owner's own first.
    pub(super) names: Vec<Name>,
    /// What was said to each question on the way, the owner's own left out.
    pub(super) sights: Vec<Sight<'e>>,
    /// Where it ends.
    pub(super) end: Destination,
}

/// Where a chain of CNAMEs ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Destination {
    /// At the name that is looked for.
    Expected,
    /// At a name of the chain itself.
    Loop,
    /// At another name, after too many links, or where nobody answers.
    Elsewhere,
}

/// Follows the CNAMEs from `owner`, which points at `target`, for as far as eight links.
///
/// Every link after the first is one question; the expected name itself is never asked for.
pub(super) fn follow<'e>(inquiry: &mut Inquiry<'e>, owner: &Name, target: &Name, expected: &Name) -> Chase<'e> {
    let mut chase = Chase { names: vec![owner.clone()], sights: Vec::new(), end: Destination::Elsewhere };
    let mut at = target.clone();
    for _ in 0..MAX_CHAIN_LINKS {
        let is_loop = chase.names.contains(&at);
        chase.names.push(at.clone());
        if at == *expected || is_loop {
            chase.end = if is_loop { Destination::Loop } else { Destination::Expected };
            return chase;
        }
        if chase.names.len() > MAX_CHAIN_LINKS {
            return chase;
        }
        let sight = inquiry.look(&Question::new(at, RecordType::CNAME));
        let next = match sight.cname_targets().as_slice() {
            [next] => (*next).clone(),
            _ => return chase,
        };
        chase.sights.push(sight);
        at = next;
    }
    chase
}
