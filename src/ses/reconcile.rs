//! What the DNS and SES mean together: a total table, without a memory and without a clock.
//!
//! SES alone says whether a domain is verified; the DNS explains it, warns before SES notices, and never overrides it.
//! Trouble that passes, on either side, says nothing: the outcome is then never worse than it was without the trouble.
//!
//! | the records | SES: DKIM status, sends | outcome |
//! |---|---|---|
//! | ready, propagating, unclear | SUCCESS, yes | verified |
//! | partial; failing | SUCCESS, yes or no | partial; will be lost |
//! | ready, propagating, unclear | SUCCESS, no | wait |
//! | any | PENDING, no | wait; once 72 h are over, restart needed |
//! | any | PENDING or NOT_STARTED or FAILED, yes | unsigned |
//! | any | FAILED or NOT_STARTED, no | restart needed |
//! | partial; failing | TEMPORARY_FAILURE, yes | partial; will be lost |
//! | else | TEMPORARY_FAILURE | wait |
//! | any | no identity; not known | no identity; unknown |
//!
//! Over these stand, the first that holds: a replica that cannot use its parent's keys; records in the zone of another
//! region; SES waiting with an older zone in its hands; signing that is switched off.

mod sentence;

use std::time::Duration;

use jiff::Timestamp;

use crate::dns::name::Name;
use crate::dns::rdata::is_older_serial;
use crate::expectation::RecordKind;
use crate::findings::Code;
use crate::report::{Report, ReportedIdentity, ReportedSes, ReportedSoa, SesOutcome, SesReason, Verdict};
use crate::ses::identity::{DkimOrigin, SesIdentity, SesStatus, VerificationError};

/// How long SES looks for the records before it gives up (SES: `DkimAttributes.Status`).
pub const WINDOW: Duration = Duration::from_secs(72 * 60 * 60);

/// What is known of a domain's identity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SesView<'a> {
    /// SES has one.
    Identity(&'a SesIdentity),
    /// SES has none in this region.
    NoIdentity,
    /// SES could not be asked.
    Unknown,
}

/// What SES's word on sending means for a domain's state.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SendingSign {
    /// SES sends mail of the domain.
    Positive,
    /// SES does not, and this is no passing trouble.
    Negative,
    /// Nothing can be said; whatever was so remains so.
    CannotTell,
}

impl SesView<'_> {
    /// Says what SES's word on sending means for a domain's state.
    ///
    /// Only SES's own flag counts, never a status beside it; where it is not set, trouble that passes says nothing.
    #[must_use]
    pub fn sending_sign(&self) -> SendingSign {
        let passes = |status: SesStatus| matches!(status, SesStatus::TemporaryFailure | SesStatus::Unknown);
        match self {
            Self::Identity(identity) if identity.sending => SendingSign::Positive,
            Self::Identity(identity) if passes(identity.dkim_status) || passes(identity.verification_status) => {
                SendingSign::CannotTell
            }
            Self::Identity(_) | Self::NoIdentity => SendingSign::Negative,
            Self::Unknown => SendingSign::CannotTell,
        }
    }
}

/// What a check says of the DNS, as far as it matters here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsView {
    /// The sender domain, as people write it.
    pub domain: String,
    /// When the check ended.
    pub checked_at: Timestamp,
    /// How the DKIM records stand; what else is required is none of SES's business.
    pub verdict: Verdict,
    /// What explains it.
    pub root_cause: Option<Code>,
    /// Whether a DKIM record points into the zone of another region.
    pub is_wrong_region: bool,
    /// The newest version of the zone of the DKIM records that its servers have.
    pub soa: Option<ReportedSoa>,
}

impl From<&Report> for DnsView {
    fn from(report: &Report) -> Self {
        let is_wrong = |code: Option<Code>| code == Some(Code::WrongRegion);
        let keys = || report.records.iter().filter(|record| record.kind == RecordKind::Dkim);
        let zone = keys().find_map(|record| record.zone.as_ref());
        let found = report.delegation.iter().find(|known| Some(&known.zone) == zone);
        Self {
            domain: report.domain.clone(),
            checked_at: report.checked_at,
            verdict: report.dkim_verdict,
            root_cause: report.root_cause,
            is_wrong_region: keys().any(|record| is_wrong(record.code)),
            soa: found.and_then(|zone| zone.soa.clone()),
        }
    }
}

/// What both sides mean together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reconciliation {
    /// The outcome.
    pub outcome: SesOutcome,
    /// Why; `None` where the outcome says it all.
    pub reason: Option<SesReason>,
    /// The outcome in words, in one sentence or two.
    pub sentence: String,
    /// Until when it may last without anybody doing anything.
    pub until: Option<Timestamp>,
}

/// Puts the DNS and SES together.
///
/// `pending_since` is when SES began to look for the records, where it is known; without it a wait has no end.
#[must_use]
pub fn reconcile(dns: &DnsView, ses: SesView<'_>, pending_since: Option<Timestamp>) -> Reconciliation {
    let window_end = pending_since.and_then(|since| since.checked_add(WINDOW).ok()).map(to_the_second);
    let is_over = window_end.is_some_and(|end| end <= dns.checked_at);
    let (outcome, reason) = match ses {
        SesView::Unknown => (SesOutcome::Unknown, Some(SesReason::SesUnreachable)),
        SesView::NoIdentity => (SesOutcome::NoIdentity, None),
        SesView::Identity(identity) => above(dns, identity, cell(dns.verdict, identity, is_over)),
    };
    let until = match (ses, outcome) {
        (SesView::Identity(identity), SesOutcome::OlderZone) => remembered_until(dns, identity),
        (SesView::Identity(identity), SesOutcome::Wait) if identity.dkim_status == SesStatus::Pending => window_end,
        _ => None,
    };
    let sentence = sentence::say(dns, ses, (outcome, reason), until);
    Reconciliation { outcome, reason, sentence, until }
}

/// Returns since when SES has been looking for the records at the least, by what it tells; `None` where that says nothing.
///
/// SES does not tell when it began. It did not begin before the key was made, so that a key younger than the window
/// bounds the wait; an older key may be that of an identity which was restarted since.
#[must_use]
pub fn earliest_start(identity: &SesIdentity, now: Timestamp) -> Option<Timestamp> {
    let made_at = identity.last_key_generated_at?;
    let end = made_at.checked_add(WINDOW).ok()?;
    (end > now).then_some(made_at)
}

/// Reports what SES says beside the verdict.
#[must_use]
pub fn report_ses(region: &str, ses: SesView<'_>, reconciled: Reconciliation) -> ReportedSes {
    let identity = match ses {
        SesView::Identity(identity) => Some(report_identity(identity)),
        SesView::NoIdentity | SesView::Unknown => None,
    };
    let Reconciliation { outcome, reason, sentence, until } = reconciled;
    ReportedSes { region: region.to_owned(), outcome, reason, sentence, until, identity }
}

/// Reports an identity in SES's words.
fn report_identity(identity: &SesIdentity) -> ReportedIdentity {
    let info = identity.verification_info.as_ref();
    ReportedIdentity {
        origin: identity.origin.word(),
        dkim_status: identity.dkim_status.as_str().to_owned(),
        verification_status: identity.verification_status.as_str().to_owned(),
        sending: identity.sending,
        signing_enabled: identity.signing_enabled,
        last_checked_at: info.and_then(|info| info.last_checked_at),
        last_success_at: info.and_then(|info| info.last_success_at),
        error: info.and_then(|info| info.error).map(|error| error.as_str().to_owned()),
        soa_serial: info.and_then(|info| info.soa.as_ref()).map(|soa| soa.serial),
        mail_from_status: identity.mail_from.as_ref().map(|mail_from| mail_from.status.as_str().to_owned()),
    }
}

/// An outcome and its reason.
type Cell = (SesOutcome, Option<SesReason>);

/// Looks the plain table up.
fn cell(verdict: Verdict, identity: &SesIdentity, is_over: bool) -> Cell {
    let because = |outcome: SesOutcome, reason: SesReason| (outcome, Some(reason));
    let sending = identity.sending;
    match identity.dkim_status {
        SesStatus::Unknown => because(SesOutcome::Unknown, SesReason::UnknownStatus),
        SesStatus::Success => match verdict {
            Verdict::Partial => (SesOutcome::Partial, None),
            Verdict::Failing => (SesOutcome::WillBeLost, None),
            Verdict::Ready | Verdict::Propagating | Verdict::Indeterminate if sending => (SesOutcome::Verified, None),
            Verdict::Ready | Verdict::Propagating | Verdict::Indeterminate => {
                because(SesOutcome::Wait, SesReason::NotSendingYet)
            }
        },
        // SES goes on signing meanwhile, so that this is no unsigned mail.
        SesStatus::TemporaryFailure => match verdict {
            Verdict::Partial if sending => (SesOutcome::Partial, None),
            Verdict::Failing if sending => (SesOutcome::WillBeLost, None),
            Verdict::Ready => because(SesOutcome::Wait, SesReason::SesLooksAgain),
            other => because(SesOutcome::Wait, obstacle(other)),
        },
        SesStatus::Pending if sending => because(SesOutcome::Unsigned, old_key(identity)),
        SesStatus::Pending if is_over => match verdict {
            Verdict::Ready => because(SesOutcome::RestartNeeded, SesReason::WindowOver),
            other => because(SesOutcome::RestartNeeded, obstacle(other)),
        },
        SesStatus::Pending => because(SesOutcome::Wait, obstacle(verdict)),
        SesStatus::Failed if sending => because(SesOutcome::Unsigned, SesReason::DkimFailed),
        SesStatus::Failed => match verdict {
            Verdict::Ready => because(SesOutcome::RestartNeeded, SesReason::WindowOver),
            other => because(SesOutcome::RestartNeeded, obstacle(other)),
        },
        SesStatus::NotStarted if sending => because(SesOutcome::Unsigned, SesReason::LegacyVerified),
        SesStatus::NotStarted => because(SesOutcome::RestartNeeded, SesReason::NeverStarted),
    }
}

/// Says what stands between the records and SES's finding them.
fn obstacle(verdict: Verdict) -> SesReason {
    match verdict {
        Verdict::Ready => SesReason::NotNoticedYet,
        Verdict::Propagating => SesReason::Propagating,
        Verdict::Partial | Verdict::Failing => SesReason::RecordsNotRight,
        Verdict::Indeterminate => SesReason::DnsUnclear,
    }
}

/// Says why SES sends while it is still looking for DKIM records.
fn old_key(identity: &SesIdentity) -> SesReason {
    let has_old = identity.current_key_length.is_some();
    let is_changing = has_old && identity.current_key_length != identity.next_key_length;
    if is_changing { SesReason::KeyChange } else { SesReason::LegacyVerified }
}

/// Applies what stands over the plain table.
fn above(dns: &DnsView, identity: &SesIdentity, plain: Cell) -> Cell {
    let status = identity.dkim_status;
    let passes = matches!(status, SesStatus::TemporaryFailure | SesStatus::Unknown);
    let is_looking = matches!(status, SesStatus::Pending | SesStatus::TemporaryFailure);
    let is_right = matches!(dns.verdict, Verdict::Ready | Verdict::Propagating);
    let error = identity.verification_info.as_ref().and_then(|info| info.error);
    let is_replica = matches!(identity.origin, DkimOrigin::Replica { .. });
    let is_known_wrong = dns.is_wrong_region && dns.verdict != Verdict::Indeterminate;
    if is_replica && !passes && status != SesStatus::Success && error.is_some_and(VerificationError::is_of_replication)
    {
        return (SesOutcome::ReplicaTrouble, None);
    }
    if is_known_wrong && status != SesStatus::Unknown {
        return (SesOutcome::WrongRegion, None);
    }
    if is_right && is_looking && plain.0 == SesOutcome::Wait {
        if saw_older_serial(dns, identity) {
            return (SesOutcome::OlderZone, Some(SesReason::OlderSerial));
        }
        if error == Some(VerificationError::HostNotFound) {
            return (SesOutcome::OlderZone, Some(SesReason::RememberedAbsence));
        }
    }
    if !identity.signing_enabled && matches!(plain.0, SesOutcome::Verified | SesOutcome::Partial) && !passes {
        return (SesOutcome::Unsigned, Some(SesReason::SigningOff));
    }
    plain
}

/// Says whether SES saw an older version of the zone; serials of different primaries cannot be compared.
fn saw_older_serial(dns: &DnsView, identity: &SesIdentity) -> bool {
    let seen = identity.verification_info.as_ref().and_then(|info| info.soa.as_ref());
    let (Some(seen), Some(ours)) = (seen, &dns.soa) else { return false };
    let is_same = match (Name::parse(&seen.primary), Name::parse(&ours.primary)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    };
    is_same && is_older_serial(seen.serial, ours.serial)
}

/// Returns until when SES may remember that the records were not there: from its last look on; `None` once that is over.
fn remembered_until(dns: &DnsView, identity: &SesIdentity) -> Option<Timestamp> {
    let looked_at = identity.verification_info.as_ref()?.last_checked_at?;
    let remembered = Duration::from_secs(dns.soa.as_ref()?.negative_seconds.into());
    let until = looked_at.checked_add(remembered).ok()?;
    (until > dns.checked_at).then(|| to_the_second(until))
}

/// Cuts a time to whole seconds, so that it reads as people write it.
fn to_the_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests;
