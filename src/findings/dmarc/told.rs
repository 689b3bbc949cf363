//! What is told of a policy record: the code, the severity and the arguments that its words need.
//!
//! Pure rules over a record that somebody else read. Each gives a [`Told`]: the finding, and where it was read.

use crate::dns::name::Name;
use crate::dns::public_suffix::registrable_name;
use crate::findings::catalogue::{Code, Severity};
use crate::findings::finding::{Argument, Finding, Subject};
use crate::records::dmarc::{DmarcRecord, PolicyTag, Problem, Scope, is_dmarc};

/// A finding, and the names whose TXT records prove it.
pub(super) struct Told {
    /// The finding, without proof.
    pub(super) finding: Finding,
    /// Where it was read; never empty.
    pub(super) read_at: Vec<Name>,
}

/// Starts a finding about a record at `place`.
pub(super) fn about(code: Code, subject: &Subject, place: &Name) -> Finding {
    Finding::new(code, subject.clone()).with("name", Argument::Name(place.clone()))
}

/// Says that a record is none that receivers use.
pub(super) fn broken(start: Finding, text: &[u8], problem: String) -> Finding {
    start.with("record", shown(text)).with("problem", Argument::Text(problem))
}

/// Says that there are several records, so that none counts (RFC 9989 §4.10).
pub(super) fn repeated(start: Finding, count: usize) -> Finding {
    start.with("count", Argument::Number(u64::try_from(count).unwrap_or(u64::MAX)))
}

/// Tells what receivers skip in a record that they use: a warning where it is a policy, else a notice.
pub(super) fn flaw(start: Finding, record: &DmarcRecord, text: &[u8]) -> Option<Finding> {
    let is_policy = |problem: &&Problem| matches!(problem, Problem::BadValue { tag: "p" | "sp" | "np", .. });
    let severe = record.problems.iter().find(is_policy);
    let problem = severe.or(record.problems.first())?;
    let severity = if severe.is_some() { Severity::Warning } else { Severity::Notice };
    Some(broken(start.with_severity(severity), text, problem.to_string()))
}

/// Tells whose policy a domain takes, and which.
pub(super) fn inherited(start: Finding, from: &Name, record: &DmarcRecord, scope: Scope, tag: PolicyTag) -> Finding {
    start
        .with_severity(Code::DmarcInherited.severity())
        .with("inherited_from", Argument::Name(from.clone()))
        .with("policy", Argument::Text(record.effective_policy(scope).to_string()))
        .with("tag", Argument::Text(tag.to_string()))
}

/// Says whether a text is meant as a policy record and is none: `v` is not first, or its letters are wrong (RFC 9989 §4.7).
pub(super) fn is_near_miss(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    !is_dmarc(text) && lower.windows(b"dmarc1".len()).any(|window| window == b"dmarc1")
}

/// Returns a text for an argument.
pub(super) fn shown(text: &[u8]) -> Argument {
    Argument::Text(text.escape_ascii().to_string())
}

/// Tells of tags that RFC 9989 took away (appendix C): a warning where `pct` makes older receivers spare a part of the
/// mail that newer ones do not, else a notice.
pub(super) fn old_tags(subject: &Subject, place: &Name, record: &DmarcRecord, text: &[u8]) -> Option<Told> {
    let tags: Vec<&str> = record.old_tags.iter().map(|tag| tag.name).collect();
    if tags.is_empty() {
        return None;
    }
    let asks = [record.policy, record.subdomain_policy, record.nonexistent_policy];
    let is_enforced = asks.into_iter().flatten().any(|policy| policy > crate::records::dmarc::Policy::None);
    let percent = record.old_tags.iter().find(|tag| tag.name == "pct").map(|tag| tag.value.trim());
    let spares = is_enforced && percent.is_some_and(|percent| percent != "100");
    let severity = if spares { Severity::Warning } else { Severity::Notice };
    let kept = DmarcRecord { old_tags: Vec::new(), ..record.clone() };
    let mut finding = about(Code::DmarcOldTags, subject, place)
        .with_severity(severity)
        .with("tags", Argument::Text(tags.join(", ")))
        .with("record", shown(text));
    if let Some(percent) = percent {
        finding = finding.with("pct", shown(percent.as_bytes()));
    }
    if record.problems.is_empty() {
        finding = finding.with("new_record", Argument::Text(kept.to_string()));
    }
    Some(Told { finding, read_at: vec![place.clone()] })
}

/// Tells that the policy is only being tried, where that makes it milder (RFC 9989 §4.7, `t`).
pub(super) fn test_mode(subject: &Subject, place: &Name, record: &DmarcRecord, scope: Scope) -> Option<Told> {
    if !record.is_testing {
        return None;
    }
    let (published, effective) = (record.published_policy(scope), record.effective_policy(scope));
    let finding = about(Code::DmarcTestMode, subject, place)
        .with("published", Argument::Text(published.to_string()))
        .with("policy", Argument::Text(effective.to_string()));
    Some(Told { finding, read_at: vec![place.clone()] })
}

/// Tells that the policy's name is an alias, which leads to the policy.
pub(super) fn alias(subject: &Subject, place: &Name, target: Name) -> Told {
    let finding = about(Code::DmarcCname, subject, place).with("target", Argument::Name(target));
    Told { finding, read_at: vec![place.clone()] }
}

/// Tells that receivers that still go by the public suffix list see another organizational domain (RFC 7489 §3.2) than
/// the `organization` of the tree walk. The `effect` is on the `policy` that they find, or on `alignment` alone.
pub(super) fn psl_disagrees(
    subject: &Subject,
    place: &Name,
    author: &Name,
    organization: &Name,
    effect: &str,
) -> Option<Told> {
    let listed = registrable_name(author).filter(|listed| listed != organization)?;
    let finding = about(Code::DmarcPslDisagrees, subject, place)
        .with("effect", Argument::Text(effect.to_owned()))
        .with("organizational_domain", Argument::Name(organization.clone()))
        .with("by_list", Argument::Name(listed));
    Some(Told { finding, read_at: vec![place.clone()] })
}
