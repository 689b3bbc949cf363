//! A question on which two of three other resolvers agree and we do not, and what is known of the reasons.
//!
//! Each reason is as narrow as its cause: it looks at the tree, the question and what everybody says.

use std::fmt;

use zoneproof::dns::rrset::{Question, Rcode, RecordType};
use zoneproof::dnssec::Bogus;
use zoneproof::walk::lookup::LookupFailure;

use super::resolvers::{Outcome, Resolver};
use super::tree::Forest;

/// A question that we answer in another way.
pub(crate) struct Difference<'a> {
    /// Where it was asked.
    pub(crate) forest: &'a Forest,
    /// The question.
    pub(crate) question: &'a Question,
    /// What we say.
    pub(crate) own: &'a Outcome,
    /// Why we give no answer, where we do not.
    pub(crate) failure: Option<LookupFailure>,
    /// What two others or all three say.
    pub(crate) agreed: &'a Outcome,
    /// What each of them says, in the order of [`Resolver::ALL`].
    pub(crate) others: Vec<&'a Option<Outcome>>,
}

/// Says whether a resolver gave up.
fn is_given_up(outcome: &Outcome) -> bool {
    outcome.rcode == Rcode::SERVFAIL
}

impl Difference<'_> {
    /// Says why we differ, where that is known.
    pub(crate) fn explanation(&self) -> Option<&'static str> {
        if self.is_limit() {
            Some("limits")
        } else if self.is_lame_case() {
            Some("lame servers")
        } else if self.is_asterisk_case() {
            Some("asterisks")
        } else if self.is_opt_out_case() {
            Some("hidden delegations")
        } else if self.is_hidden_name_case() {
            Some("hidden names")
        } else {
            None
        }
    }

    /// Returns the question's name as the tree has it.
    fn name(&self) -> String {
        self.question.name.to_lowercase().to_string()
    }

    /// Says whether we differ by a limit of ours that is lower than those of others: at most 8 aliases (they follow 11 to 13),
    /// 50 packets for a walk and 300 for a lookup, 30 signatures.
    fn is_limit(&self) -> bool {
        matches!(self.failure, Some(LookupFailure::ChainTooLong | LookupFailure::BudgetExceeded))
    }

    /// Says whether we and BIND ask on where the two others do not: a server that a delegation names does not serve the zone.
    ///
    /// Where it serves the zone above, it refers to the very zone that it was asked about, which Unbound and Knot Resolver
    /// take for an answer without records; and at times they give up (SERVFAIL) where the next server has an answer that
    /// holds. BIND and we ask the next server.
    fn is_lame_case(&self) -> bool {
        let is_as_bind = self.is_as_bind();
        let is_empty = self.agreed.rcode == Rcode::NOERROR && self.agreed.answers.is_empty();
        let asks_on = is_empty || (is_given_up(self.agreed) && !is_given_up(self.own));
        is_as_bind && asks_on && self.forest.has_lame_server(&self.name())
    }

    /// Says whether we and BIND prove an answer that the two others give up on: a name that begins with `*` of its own is made
    /// from a wildcard further up, whose signature counts fewer labels than it has without the `*` (RFC 4035 §5.3.2).
    fn is_asterisk_case(&self) -> bool {
        let is_literal = |name: &String| name.starts_with("*.");
        is_given_up(self.agreed)
            && self.own.is_authentic
            && self.is_as_bind()
            && self.names_on_the_way().iter().any(is_literal)
    }

    /// Says whether BIND says the same; of a name that is not there it leaves out at times what leads to it, so that there the
    /// code and the proof count.
    fn is_as_bind(&self) -> bool {
        let bind = Resolver::ALL.iter().zip(&self.others).find(|(resolver, _)| **resolver == Resolver::Bind);
        bind.and_then(|(_, outcome)| outcome.as_ref()).is_some_and(|bind| {
            let is_bare = bind.rcode == Rcode::NXDOMAIN && bind.answers.is_empty();
            let answers = if is_bare { self.own.answers.clone() } else { bind.answers.clone() };
            Outcome { answers, ..bind.clone() } == *self.own
        })
    }

    /// Says whether we find the unsigned delegation that two others do not get to, and nobody finds anything else.
    ///
    /// It stands below a name that is there for its sake alone, which NSEC3 with opt-out leaves out (RFC 5155 §7.1); asked for
    /// DS records at that name, NSD proves too little. BIND ends there (SERVFAIL), Knot Resolver and Unbound at times: the
    /// latter asks on until nobody waits any more where another server is dead. What we say is not proven, and said so. An
    /// alias may lead there.
    fn is_opt_out_case(&self) -> bool {
        let refutes = |other: &Outcome| !is_given_up(other) && other != self.own;
        let is_refuted = self.others.iter().any(|other| other.as_ref().is_some_and(refutes));
        let is_held_back = !self.own.is_authentic && !is_given_up(self.own);
        let is_below = |name: &String| self.forest.is_below_hidden_cut(name);
        is_given_up(self.agreed) && is_held_back && !is_refuted && self.names_on_the_way().iter().any(is_below)
    }

    /// Returns the question's name and the names that aliases lead to, as we see them.
    fn names_on_the_way(&self) -> Vec<String> {
        let target = |answer: &String| Some(answer.split_once(" CNAME ")?.1.to_owned());
        self.own.answers.iter().filter_map(target).chain([self.name()]).collect()
    }

    /// Says whether we miss a proof where others know of a server that gives it.
    ///
    /// Asked for DS records at a name that is there for the sake of an unsigned delegation alone, NSD gives the NSEC3 record of the
    /// closest encloser, and not the one that covers the name below it, which RFC 5155 §7.2.4 wants too; the reply is bogus
    /// for everybody. The others ask the next server of the zone. Where the one server of the zone above serves this zone too, it answers in its place
    /// and never refers to it: we, who take the delegation's word alone for who serves a zone, have nobody else to ask. The
    /// others take the zone's own NS records.
    fn is_hidden_name_case(&self) -> bool {
        self.failure == Some(LookupFailure::Bogus(Bogus::MissingDenial))
            && self.question.kind == RecordType::DS
            && self.forest.is_hidden_by_nsd_alone(&self.name())
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}\n  ours     {:?} {:?}", self.question, self.own, self.failure)?;
        for (resolver, outcome) in Resolver::ALL.iter().zip(&self.others) {
            write!(out, "\n  {:8} {outcome:?}", format!("{resolver:?}"))?;
        }
        write!(out, "{}", self.forest.tell(&self.name()))
    }
}
