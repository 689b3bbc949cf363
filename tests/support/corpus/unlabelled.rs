//! The codes of the catalogue that no domain of the corpus has as its label, each with the reason.

/// No domain of the corpus tells a MAIL FROM name.
const MAIL_FROM: &str = "it takes a custom MAIL FROM name, and no domain of the corpus has one";
/// No domain of the corpus has its mail taken in.
const INBOUND: &str = "it takes a domain whose mail Amazon SES takes in, or one with a custom MAIL FROM name";
/// The trees of includes are held against others' evaluations.
const SPF: &str = "the scenarios, the published suite of RFC 7208 and pyspf hold it";

/// What servers and parent zones do beside answering.
const SERVERS: &str = "no domain of the corpus is made so; the scenarios hold it";

/// Code and reason.
pub(crate) const UNLABELLED: &[(&str, &str)] = &[
    ("dmarc_strict_misalign", MAIL_FROM),
    ("mailfrom_is_cname", MAIL_FROM),
    ("mailfrom_mx_absent", MAIL_FROM),
    ("mailfrom_mx_extra", MAIL_FROM),
    ("mailfrom_region", MAIL_FROM),
    ("mailfrom_spf_absent", MAIL_FROM),
    ("mx_foreign", INBOUND),
    ("mx_implicit_a", INBOUND),
    ("mx_inbound_absent", INBOUND),
    ("mx_is_cname", INBOUND),
    ("mx_is_ip", INBOUND),
    ("mx_null", INBOUND),
    ("mx_target_dead", INBOUND),
    ("mx_zone_appended", INBOUND),
    ("spf_include_dead", SPF),
    ("spf_loop", SPF),
    ("spf_neutral_all", SPF),
    ("spf_no_all", SPF),
    ("spf_plus_all", SPF),
    ("spf_ptr", SPF),
    ("spf_redirect_with_all", SPF),
    ("spf_terms_after_all", SPF),
    ("spf_too_many_lookups", SPF),
    ("spf_void", SPF),
    ("answer_too_large", SERVERS),
    ("broken_edns", SERVERS),
    ("broken_tcp", SERVERS),
    ("cname_at_apex", SERVERS),
    ("dnssec_bogus_no_dnskey", SERVERS),
    ("dnssec_expired_sig", SERVERS),
    ("domain_connect", SERVERS),
    ("expired_parked", SERVERS),
    ("glue_stale", SERVERS),
    ("no_delegation_subzone", SERVERS),
    ("ns_v6_only_broken", SERVERS),
    ("wrong_provider_edited", SERVERS),
];
