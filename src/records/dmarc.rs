//! The DMARC policy record of a domain, and which record speaks for a name that has none (RFC 9989).
//!
//! Reads records that somebody else fetched, by the tree walk and without a list of public suffixes.

mod discovery;
mod parse;
mod report_uri;
#[cfg(test)]
mod tests;

use std::fmt;

pub use discovery::{Applicable, Discovery, Found, discover, organizational_domain, tree_walk};
pub use parse::{ParseError, Problem, is_dmarc, parse};
pub use report_uri::{ReportUri, authorisation_name};

/// A policy record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmarcRecord {
    /// What is asked for the domain's own mail (`p=`); missing means [`Policy::None`].
    pub policy: Option<Policy>,
    /// What is asked for names below the domain (`sp=`).
    pub subdomain_policy: Option<Policy>,
    /// What is asked for names below the domain that do not exist (`np=`).
    pub nonexistent_policy: Option<Policy>,
    /// How near the DKIM domain must be to the author's (`adkim=`).
    pub dkim_alignment: Alignment,
    /// How near the SPF domain must be to the author's (`aspf=`).
    pub spf_alignment: Alignment,
    /// When to report a failure (`fo=`), in the order written and never empty; means nothing without `ruf=`.
    pub failure_options: Vec<FailureOption>,
    /// Where aggregate reports go (`rua=`), in the order written; may be empty.
    pub aggregate_reports: Vec<ReportUri>,
    /// Where failure reports go (`ruf=`), in the order written; may be empty.
    pub failure_reports: Vec<ReportUri>,
    /// Whether the policy is only being tried (`t=y`).
    pub is_testing: bool,
    /// What the record says of public suffixes (`psd=`).
    pub public_suffix: PublicSuffix,
    /// Tags of RFC 7489 that RFC 9989 removed (`pct`, `rf`, `ri`): each once, in the order written.
    pub old_tags: Vec<OldTag>,
    /// What receivers skip or read as a default; from left to right, at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
}

/// Most problems told of one record; ours, so that a hostile record stays small.
pub const MAX_PROBLEMS: usize = 20;

/// What a domain asks to do with mail that fails DMARC, from the mildest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Nothing.
    None,
    /// To treat it as suspicious.
    Quarantine,
    /// To refuse it.
    Reject,
}

/// How near an authenticated domain must be to the author's (RFC 9989 §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// The same organizational domain.
    Relaxed,
    /// The same name.
    Strict,
}

/// When a receiver should report a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureOption {
    /// `0`: when nothing passes and aligns.
    AllFail,
    /// `1`: when anything does not pass and align.
    AnyFails,
    /// `d`: when a DKIM signature fails.
    Dkim,
    /// `s`: when SPF fails.
    Spf,
}

/// What a record says of public suffixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicSuffix {
    /// `y`: the domain is a public suffix.
    Yes,
    /// `n`: the domain is an organizational domain.
    No,
    /// `u`, the default: the tree walk finds out.
    Unknown,
}

/// A tag that means nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldTag {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Its value as written.
    pub value: String,
    /// Where the tag begins, in octets counted from 1.
    pub column: usize,
}

/// The name that a policy is wanted for, seen from the record's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The domain itself.
    OwnName,
    /// A name below that exists.
    Subdomain,
    /// A name below for which the DNS says NXDOMAIN (RFC 9989 §3.2).
    NonexistentSubdomain,
}

/// The tag that a policy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyTag {
    /// `p`.
    P,
    /// `sp`.
    Sp,
    /// `np`.
    Np,
}

impl DmarcRecord {
    /// Says which tag rules over names of `scope`: `np` falls to `sp`, and `sp` to `p`.
    ///
    /// Source: RFC 9989 §4.7.
    pub fn policy_tag(&self, scope: Scope) -> PolicyTag {
        match scope {
            Scope::NonexistentSubdomain if self.nonexistent_policy.is_some() => PolicyTag::Np,
            Scope::Subdomain | Scope::NonexistentSubdomain if self.subdomain_policy.is_some() => PolicyTag::Sp,
            _ => PolicyTag::P,
        }
    }

    /// Returns the policy published for names of `scope`.
    pub fn published_policy(&self, scope: Scope) -> Policy {
        let policy = match self.policy_tag(scope) {
            PolicyTag::P => self.policy,
            PolicyTag::Sp => self.subdomain_policy,
            PolicyTag::Np => self.nonexistent_policy,
        };
        policy.unwrap_or(Policy::None)
    }

    /// Returns the policy that receivers apply to names of `scope`: in test mode one level milder.
    ///
    /// Source: RFC 9989 §4.7, `t`.
    pub fn effective_policy(&self, scope: Scope) -> Policy {
        match self.published_policy(scope) {
            Policy::Reject if self.is_testing => Policy::Quarantine,
            Policy::Quarantine if self.is_testing => Policy::None,
            policy => policy,
        }
    }
}

impl Default for DmarcRecord {
    /// Makes the record that says nothing but its version.
    fn default() -> Self {
        Self {
            policy: None,
            subdomain_policy: None,
            nonexistent_policy: None,
            dkim_alignment: Alignment::Relaxed,
            spf_alignment: Alignment::Relaxed,
            failure_options: vec![FailureOption::AllFail],
            aggregate_reports: Vec::new(),
            failure_reports: Vec::new(),
            is_testing: false,
            public_suffix: PublicSuffix::Unknown,
            old_tags: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// Writes the record without defaults and without what was skipped.
impl fmt::Display for DmarcRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=DMARC1")?;
        let policies = [("p", self.policy), ("sp", self.subdomain_policy), ("np", self.nonexistent_policy)];
        for (tag, policy) in policies.into_iter().filter_map(|(tag, policy)| Some((tag, policy?))) {
            write!(f, "; {tag}={policy}")?;
        }
        for (tag, alignment) in [("adkim", self.dkim_alignment), ("aspf", self.spf_alignment)] {
            if alignment == Alignment::Strict {
                write!(f, "; {tag}=s")?;
            }
        }
        if self.failure_options != [FailureOption::AllFail] {
            write!(f, "; fo={}", joined(&self.failure_options, ":"))?;
        }
        for (tag, addresses) in [("rua", &self.aggregate_reports), ("ruf", &self.failure_reports)] {
            if !addresses.is_empty() {
                write!(f, "; {tag}={}", joined(addresses, ","))?;
            }
        }
        if self.is_testing {
            f.write_str("; t=y")?;
        }
        match self.public_suffix {
            PublicSuffix::Yes => f.write_str("; psd=y")?,
            PublicSuffix::No => f.write_str("; psd=n")?,
            PublicSuffix::Unknown => {}
        }
        self.old_tags.iter().try_for_each(|tag| write!(f, "; {}={}", tag.name, tag.value))
    }
}

/// Writes `items` with `separator` between them.
fn joined<T: ToString>(items: &[T], separator: &str) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        })
    }
}

impl fmt::Display for PolicyTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P => "p",
            Self::Sp => "sp",
            Self::Np => "np",
        })
    }
}

impl fmt::Display for FailureOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllFail => "0",
            Self::AnyFails => "1",
            Self::Dkim => "d",
            Self::Spf => "s",
        })
    }
}
