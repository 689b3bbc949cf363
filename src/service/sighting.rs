//! What is kept of SES with a domain: what it last said, and when. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lifecycle::{Seen, Sign};
use crate::ses::identity::{SesIdentity, SesStatus};
use crate::ses::reconcile::{SendingSign, SesView, earliest_start};

/// What SES said of a domain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sighting {
    /// When SES said it.
    pub seen_at: Timestamp,
    /// Since when SES looks for the records, as far as was seen; `None` where it does not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_since: Option<Timestamp>,
    /// The identity; `None` where SES has none.
    pub identity: Option<SesIdentity>,
}

impl Sighting {
    /// Puts a new word of SES in the place of an earlier one.
    ///
    /// SES does not tell when it began to look for the records: it is the first time that it was seen to, or when the
    /// key was made, where it was made so lately that this tells more.
    #[must_use]
    pub fn new(identity: Option<SesIdentity>, seen_at: Timestamp, earlier: Option<&Self>) -> Self {
        let pending = identity.as_ref().filter(|identity| identity.dkim_status == SesStatus::Pending);
        let pending_since = pending.map(|identity| {
            let known = earlier.and_then(|earlier| earlier.pending_since);
            known.or_else(|| earliest_start(identity, seen_at)).unwrap_or(seen_at)
        });
        Self { seen_at, pending_since, identity }
    }

    /// Reads what is stored; `None` where there is nothing, or nothing that this version can read.
    #[must_use]
    pub fn read(stored: Option<&Value>) -> Option<Self> {
        Self::deserialize(stored?).ok()
    }

    /// Writes what is stored.
    #[must_use]
    pub fn to_value(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    /// Looks at it as the reconciliation does.
    #[must_use]
    pub fn view(&self) -> SesView<'_> {
        self.identity.as_ref().map_or(SesView::NoIdentity, SesView::Identity)
    }

    /// Returns the sign that it gives the life cycle.
    #[must_use]
    pub fn sign(&self) -> Seen {
        let sign = match self.view().sending_sign() {
            SendingSign::Positive => Sign::Positive,
            SendingSign::Negative => Sign::Negative,
            SendingSign::CannotTell => Sign::Unclear,
        };
        Seen { sign, at: self.seen_at }
    }

    /// Says whether SES says something else than before: what makes a domain due sooner.
    #[must_use]
    pub fn differs_from(&self, earlier: Option<&Self>) -> bool {
        /// Picks what a person would call a change; SES's own times are none.
        fn told(sighting: &Sighting) -> Option<(bool, SesStatus, SesStatus, bool, &[String])> {
            let identity = sighting.identity.as_ref()?;
            let statuses = (identity.dkim_status, identity.verification_status);
            Some((identity.sending, statuses.0, statuses.1, identity.signing_enabled, &identity.tokens))
        }
        earlier.is_none_or(|earlier| told(earlier) != told(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;

    /// The time `minutes` after the start.
    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    /// An identity with a status.
    fn identity(dkim_status: SesStatus, sending: bool) -> SesIdentity {
        SesIdentity {
            dkim_status,
            verification_status: dkim_status,
            sending,
            ..SesIdentity::new(Name::parse("mail.example.com").unwrap(), "eu-west-1")
        }
    }

    #[test]
    fn the_window_of_ses_begins_when_it_was_first_seen_to_look() {
        let pending = identity(SesStatus::Pending, false);
        let first = Sighting::new(Some(pending.clone()), at(0), None);
        let second = Sighting::new(Some(pending.clone()), at(60), Some(&first));
        assert_eq!((first.pending_since, second.pending_since), (Some(at(0)), Some(at(0))));
        let made = SesIdentity { last_key_generated_at: Some(at(-30)), ..pending.clone() };
        assert_eq!(Sighting::new(Some(made), at(60), None).pending_since, Some(at(-30)));
        let old = SesIdentity { last_key_generated_at: Some(at(-60 * 24 * 4)), ..pending.clone() };
        assert_eq!(Sighting::new(Some(old), at(60), None).pending_since, Some(at(60)), "restarted since");
        let done = Sighting::new(Some(identity(SesStatus::Success, true)), at(90), Some(&second));
        assert_eq!(done.pending_since, None);
        assert_eq!(Sighting::new(Some(pending), at(95), Some(&done)).pending_since, Some(at(95)));
    }

    #[test]
    fn only_what_ses_decides_is_a_change() {
        let before = Sighting::new(Some(identity(SesStatus::Pending, false)), at(0), None);
        assert!(before.differs_from(None));
        assert!(!Sighting::new(before.identity.clone(), at(9), Some(&before)).differs_from(Some(&before)));
        assert!(Sighting::new(Some(identity(SesStatus::Success, true)), at(9), None).differs_from(Some(&before)));
        assert!(Sighting::new(None, at(9), None).differs_from(Some(&before)));
    }

    #[test]
    fn what_is_stored_reads_back_and_what_is_foreign_counts_as_nothing() {
        let none = Sighting::new(None, at(0), None);
        let some = Sighting::new(Some(identity(SesStatus::TemporaryFailure, false)), at(0), None);
        for sighting in [none, some] {
            assert_eq!(Sighting::read(sighting.to_value().as_ref()), Some(sighting));
        }
        assert_eq!(Sighting::read(Some(&serde_json::json!({"sending": true}))), None);
        assert_eq!(Sighting::read(None), None);
    }

    #[test]
    fn passing_trouble_of_ses_is_no_sign() {
        for (sighting, sign) in [
            (Sighting::new(Some(identity(SesStatus::Success, true)), at(0), None), Sign::Positive),
            (Sighting::new(Some(identity(SesStatus::Failed, false)), at(0), None), Sign::Negative),
            (Sighting::new(Some(identity(SesStatus::TemporaryFailure, false)), at(0), None), Sign::Unclear),
            (Sighting::new(Some(identity(SesStatus::Unknown, false)), at(0), None), Sign::Unclear),
            (Sighting::new(None, at(0), None), Sign::Negative),
        ] {
            assert_eq!(sighting.sign().sign, sign);
        }
    }
}
