//! What to type where.
//!
//! Reads a [`Finding`], the expectation and the evidence; says in one sentence
//! what is wrong and then step by step what to change, in the words of the provider that really serves
//! the name. Asks nothing and decides nothing: whether something is wrong is settled in `findings`.

mod case;
mod cname;
mod delegation;
mod dmarc;
mod exchange;
mod health;
mod mail;
mod own_key;
mod place;
mod policy_tree;
pub mod publish;
mod signatures;
mod slips;
mod spf;
mod words;

use serde::{Deserialize, Serialize};

use self::case::Case;
pub(crate) use self::place::detection_of;
use crate::evidence::Evidence;
use crate::expectation::Expectation;
use crate::findings::{Code, Finding};

/// Says what to do about a finding, at the provider that really serves the name.
///
/// The text is one paragraph of plain sentences: what is wrong, where to change it, and the panel's own
/// words. What others wrote into the DNS stands in it with all that does not print escaped, and cut.
#[must_use]
#[expect(clippy::too_many_lines, reason = "one arm for each code, and none is left out")]
pub fn remedy(finding: &Finding, expectation: &Expectation, evidence: &Evidence) -> Remedy {
    let case = Case::new(finding, expectation, evidence);
    match finding.code {
        Code::NotRegistered => delegation::not_registered(&case),
        Code::DelegationLoop => delegation::delegation_loop(&case),
        Code::NsUnresolvable => delegation::ns_unresolvable(&case),
        Code::NsAddressForbidden => delegation::ns_address_forbidden(&case),
        Code::LameAll => delegation::lame_all(&case),
        Code::NsUnreachable => delegation::ns_unreachable(&case),
        Code::BudgetExceeded => delegation::budget_exceeded(&case),
        Code::LameSome => delegation::lame_some(&case),
        Code::ParentChildNsMismatch => delegation::parent_child_ns_mismatch(&case),
        Code::UnableToCheck => delegation::unable_to_check(&case),
        Code::InconsistentServers if health::is_about_zone(&case) => health::serials_differ(&case),
        Code::InconsistentServers => delegation::inconsistent_servers(&case),
        Code::ExpiredParked => health::expired_parked(&case),
        Code::DnssecBogusNoDnskey => health::dnssec_bogus_no_dnskey(&case),
        Code::DnssecExpiredSig => health::dnssec_expired_sig(&case),
        Code::DnssecNotYetValid => signatures::dnssec_not_yet_valid(&case),
        Code::DnssecBadSignature => signatures::dnssec_bad_signature(&case),
        Code::DnssecMissingSignature => signatures::dnssec_missing_signature(&case),
        Code::DnssecMissingDenial => signatures::dnssec_missing_denial(&case),
        Code::DnssecTooMuchWork => signatures::dnssec_too_much_work(&case),
        Code::DnssecManyIterations => signatures::dnssec_many_iterations(&case),
        Code::CnameAtApex => health::cname_at_apex(&case),
        Code::GlueStale => health::glue_stale(&case),
        Code::AnswerTooLarge => health::answer_too_large(&case),
        Code::NoDelegationSubzone => health::no_delegation_subzone(&case),
        Code::DomainConnect => health::domain_connect(&case),
        Code::BrokenTcp => health::broken_tcp(&case),
        Code::BrokenEdns => health::broken_edns(&case),
        Code::Broken0x20 => health::broken_0x20(&case),
        Code::BrokenQmin => health::broken_qmin(&case),
        Code::RefusedByPolicy => health::refused_by_policy(&case),
        Code::NsV6OnlyBroken => health::ns_v6_only_broken(&case),
        Code::WrongProviderEdited => cname::wrong_provider_edited(&case),
        Code::SubzoneShadow => cname::subzone_shadow(&case),
        Code::CfProxied => cname::cf_proxied(&case),
        Code::CfFlattened => cname::cf_flattened(&case),
        Code::WildcardSynth => cname::wildcard_synth(&case),
        Code::WrongTypeTxt => cname::wrong_type_txt(&case),
        Code::WrongTypeAddress => cname::wrong_type_address(&case),
        Code::MultipleCnames => cname::multiple_cnames(&case),
        Code::CnameLoop => cname::cname_loop(&case),
        Code::HostDoubled => cname::host_doubled(&case),
        Code::LabelMissing => cname::label_missing(&case),
        Code::DomainkeyMissing => cname::domainkey_missing(&case),
        Code::UnderscoreStripped => cname::underscore_stripped(&case),
        Code::TargetZoneAppended => cname::target_zone_appended(&case),
        Code::TargetDotEscaped => cname::target_dot_escaped(&case),
        Code::WrongRegion => cname::wrong_region(&case),
        Code::TokenSwapped => cname::token_swapped(&case),
        Code::WrongProviderTarget => cname::wrong_provider_target(&case),
        Code::WrongTarget => cname::wrong_target(&case),
        Code::Absent => cname::absent(&case),
        Code::Partial => cname::partial(&case),
        Code::Indirect => cname::indirect(&case),
        Code::TxtKeyInline => slips::txt_key_inline(&case),
        Code::WrongTypeUrlRedirect => slips::wrong_type_url_redirect(&case),
        Code::DnameAbove => slips::dname_above(&case),
        Code::LabelExtra => slips::label_extra(&case),
        Code::UnderscoreTypo => slips::underscore_typo(&case),
        Code::FieldsSwapped => slips::fields_swapped(&case),
        Code::ValueInvisible => slips::value_invisible(&case),
        Code::ValueUrl => slips::value_url(&case),
        Code::ValueQuoted => slips::value_quoted(&case),
        Code::ValueComma => slips::value_comma(&case),
        Code::ValueTypeWord => slips::value_type_word(&case),
        Code::TokenTruncated => slips::token_truncated(&case),
        Code::TokenStale => slips::token_stale(&case),
        Code::CnameAndOther => slips::cname_and_other(&case),
        Code::WildcardShadowing => slips::wildcard_shadowing(&case),
        Code::SesTargetNxdomain => slips::ses_target_nxdomain(&case),
        Code::SesKeyAllEmpty => slips::ses_key_all_empty(&case),
        Code::CnameAtParent => slips::cname_at_parent(&case),
        Code::TtlLong => slips::ttl_long(&case),
        Code::ByoCnameInstead => own_key::byo_cname_instead(&case),
        Code::ByoMultipleTxt => own_key::byo_multiple_txt(&case),
        Code::ByoEscapedSemicolon => own_key::byo_escaped_semicolon(&case),
        Code::ByoKeyLowercased => own_key::byo_key_lowercased(&case),
        Code::ByoKeySplitSpace => own_key::byo_key_split_space(&case),
        Code::ByoKeyTruncated => own_key::byo_key_truncated(&case),
        Code::ByoRevoked => own_key::byo_revoked(&case),
        Code::ByoWeak => own_key::byo_weak(&case),
        Code::ByoKeyMismatch => own_key::byo_key_mismatch(&case),
        Code::SpfMultiple => mail::spf_multiple(&case),
        Code::SpfSyntax => mail::spf_syntax(&case),
        Code::SpfLeadingSpaceOrQuote => spf::leading_space_or_quote(&case),
        Code::SpfSplitWrong => spf::split_wrong(&case),
        Code::SpfType99 => spf::type99(&case),
        Code::SpfHostDoubled => spf::host_doubled(&case),
        Code::SpfLabelMissing => spf::label_missing(&case),
        Code::SpfAsCname => spf::as_cname(&case),
        Code::SpfOnUnusedName => spf::on_unused_name(&case),
        Code::SpfMissingInclude => mail::spf_missing_include(&case),
        Code::SpfAbsent => mail::spf_absent(&case),
        Code::SpfTooManyLookups => policy_tree::spf_too_many_lookups(&case),
        Code::SpfLoop => policy_tree::spf_loop(&case),
        Code::SpfIncludeDead => policy_tree::spf_include_dead(&case),
        Code::SpfVoid => policy_tree::spf_void(&case),
        Code::SpfPlusAll | Code::SpfTermsAfterAll | Code::SpfRedirectWithAll => policy_tree::spf_tidy(&case),
        Code::SpfPtr | Code::SpfNeutralAll | Code::SpfNoAll => policy_tree::spf_tidy(&case),
        Code::DmarcMultiple => mail::dmarc_multiple(&case),
        Code::DmarcSyntax => mail::dmarc_syntax(&case),
        Code::DmarcAbsent => mail::dmarc_absent(&case),
        Code::DmarcInherited => mail::dmarc_inherited(&case),
        Code::DmarcWrongPlace => dmarc::wrong_place(&case),
        Code::DmarcStrictMisalign => dmarc::strict_misalign(&case),
        Code::DmarcMisalign => dmarc::misalign(&case),
        Code::DmarcRuaUnauthorised => dmarc::rua_unauthorised(&case),
        Code::DmarcWildcard => dmarc::wildcard(&case),
        Code::DmarcOldTags => dmarc::old_tags(&case),
        Code::DmarcTestMode => dmarc::test_mode(&case),
        Code::DmarcCname => dmarc::alias(&case),
        Code::DmarcPslDisagrees => dmarc::psl_disagrees(&case),
        Code::MailfromIsCname => exchange::mailfrom_is_cname(&case),
        Code::MxNull => exchange::mx_null(&case),
        Code::MxZoneAppended => exchange::mx_zone_appended(&case),
        Code::MxIsIp => exchange::mx_is_ip(&case),
        Code::MailfromRegion => exchange::mailfrom_region(&case),
        Code::MailfromMxExtra => exchange::mailfrom_mx_extra(&case),
        Code::MxIsCname => exchange::mx_is_cname(&case),
        Code::MxTargetDead => exchange::mx_target_dead(&case),
        Code::MxForeign => exchange::mx_foreign(&case),
        Code::MailfromMxAbsent | Code::MxInboundAbsent => exchange::mx_absent(&case),
        Code::MailfromSpfAbsent => exchange::mailfrom_spf_absent(&case),
        Code::MxImplicitA => exchange::mx_implicit_a(&case),
    }
}

/// What to do about a finding.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Remedy {
    /// The id of the DNS provider whose panel the words are for; null where it is not known, where there are
    /// several, and where the place is the registrar's.
    pub provider: Option<String>,
    /// The words for a person: what is wrong in one sentence, then what to do.
    pub text: String,
    /// The same as steps, in the order to take them; empty where nothing is to be typed.
    pub steps: Vec<Step>,
}

/// One change of a record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Step {
    /// What to do with the record.
    pub action: Action,
    /// What the panel's host field takes, relative to the zone that holds the record; of an NS record at the
    /// registrar the domain.
    pub host: String,
    /// The record type.
    #[serde(rename = "type")]
    pub record_type: String,
    /// What the panel's value field takes; left out where host and type say enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What to do with a record.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Take it away.
    Delete,
    /// Put it in.
    Add,
    /// Give it this value, or this setting of the panel's, in place of the one it has.
    Change,
    /// Leave it as it is, while others go.
    Keep,
}

impl Action {
    /// Returns the word that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Add => "add",
            Self::Change => "change",
            Self::Keep => "keep",
        }
    }
}

#[cfg(test)]
mod tests;
