//! The table of faults: what is done to a domain, and how it is repaired.

use super::delegation::{self, nothing};
use super::dice::Dice;
use super::tenant::Tenant;
use super::{dkim, dmarc, health, mail, own_key, policies, several, slips, spf};

/// Where a fault happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// At any provider, at any depth.
    Any,
    /// Where the sender domain lies below the zone.
    Below,
    /// At any provider, at this one as often as at all others.
    Often(&'static str),
}

/// What makes or repairs a fault on the DKIM records of a mask.
pub(crate) type Change = fn(&mut Tenant, &[usize], &mut Dice);

/// A fault.
pub(crate) struct Fault {
    /// The row of the matrix.
    pub(crate) row: &'static str,
    /// Where it happens.
    pub(crate) place: Place,
    /// It comes in each so-manieth round: rarely, where servers say nothing and time goes by.
    pub(crate) every: usize,
    /// Does it to a domain that is right.
    pub(crate) apply: Change,
    /// Makes the domain as it is after a repair; what people leave behind stays.
    pub(crate) repair: Change,
}

/// Makes the rows of the table below.
macro_rules! faults {
    ($($row:literal $place:expr, $every:literal, $apply:expr, $repair:expr;)*) => {
        /// All faults.
        pub(crate) const FAULTS: &[Fault] =
            &[$(Fault { row: $row, place: $place, every: $every, apply: $apply, repair: $repair }),*];
    };
}

use Place::{Any, Below, Often};

faults! {
    "healthy" Any, 1, nothing, several::unusual;
    "two faults" Any, 1, several::on_two_records, several::unusual;
    "missing in two ways" Any, 1, several::missing_two_ways, several::unusual;
    "faults of all kinds" Any, 1, several::of_all_kinds, several::unusual;
    "absent" Any, 1, dkim::absent, nothing;
    "host_doubled" Any, 1, dkim::host_doubled, dkim::host_doubled_beside;
    "label_missing" Below, 1, dkim::label_missing, dkim::label_missing_beside;
    "domainkey_missing" Any, 1, dkim::domainkey_missing, dkim::domainkey_missing_beside;
    "underscore_stripped" Any, 1, dkim::underscore_stripped, dkim::underscore_stripped_beside;
    "target_zone_appended" Any, 1, dkim::target_zone_appended, dkim::in_capitals;
    "target_dot_escaped" Any, 1, dkim::target_dot_escaped, nothing;
    "wrong_region" Any, 1, dkim::wrong_region, dkim::right_region;
    "token_swapped" Any, 1, dkim::token_swapped, nothing;
    "wrong_provider_target" Any, 1, dkim::wrong_provider_target, dkim::other_service_beside;
    "wrong_target" Any, 1, dkim::wrong_target, nothing;
    "wrong_type_txt" Any, 1, dkim::wrong_type_txt, dkim::text_beside;
    "wrong_type_address" Any, 1, dkim::wrong_type_address, nothing;
    "cf_proxied" Often("cloudflare"), 1, dkim::cf_proxied, dkim::site_proxied;
    "cf_flattened" Often("cloudflare"), 1, dkim::cf_flattened, dkim::name_below;
    "wildcard_synth" Any, 1, dkim::wildcard_synth, dkim::wildcard_beside;
    "multiple_cnames" Any, 1, dkim::multiple_cnames, dkim::at_odd_servers;
    "cname_loop" Any, 1, dkim::cname_loop, dkim::loop_beside;
    "indirect" Any, 1, dkim::indirect, dkim::others_point_too;
    "subzone_shadow" Below, 1, dkim::subzone_shadow, dkim::subzone_right;
    "inconsistent_servers" Any, 1, dkim::inconsistent_servers, dkim::differ_elsewhere;
    "inconsistent_servers (SPF)" Any, 1, policies::spf_differs, nothing;
    "unable_to_check" Any, 1, dkim::unable_to_check, dkim::fail_elsewhere;
    "not_registered" Any, 1, delegation::not_registered, nothing;
    "delegation_loop" Any, 1, delegation::delegation_loop, delegation::glue;
    "ns_unresolvable" Any, 1, delegation::ns_unresolvable, nothing;
    "ns_unresolvable (one of two)" Any, 1, delegation::ns_unresolvable_in_part, nothing;
    "ns_address_forbidden" Any, 1, delegation::ns_address_forbidden, nothing;
    "lame_all" Any, 1, delegation::lame_all, nothing;
    "lame_all (not by REFUSED)" Any, 1, delegation::lame_otherwise, dkim::at_odd_servers;
    "lame_some" Any, 1, delegation::lame_some, nothing;
    "ns_unreachable" Any, 1, delegation::ns_unreachable, nothing;
    "ns_unreachable (silent)" Any, 8, delegation::ns_silent, dkim::at_odd_servers;
    "ns_unreachable (one of two)" Any, 1, delegation::ns_unreachable_in_part, nothing;
    "budget_exceeded" Any, 8, delegation::budget_exceeded, delegation::last_of_nest;
    "parent_child_ns_mismatch" Any, 1, delegation::parent_child_ns_mismatch, delegation::same_servers;
    "spf_multiple" Any, 1, policies::spf_multiple, policies::spf_merged;
    "spf_syntax" Any, 1, policies::spf_syntax, policies::spf_corrected;
    "spf_missing_include" Any, 1, policies::spf_missing_include, policies::spf_nested;
    "spf_absent" Any, 1, policies::spf_absent, policies::spf_redirected;
    "spf_leading_space_or_quote" Any, 1, policies::spf_leading, policies::spf_corrected;
    "spf_split_wrong" Any, 1, policies::spf_split, policies::spf_split_well;
    "spf_type99" Any, 1, policies::spf_type99, policies::obsolete_beside;
    "spf_host_doubled" Any, 1, policies::spf_host_doubled, policies::spf_stray_beside;
    "spf_label_missing" Below, 1, policies::spf_label_missing, policies::spf_stray_beside;
    "dmarc_multiple" Any, 1, policies::dmarc_multiple, policies::dmarc_sole;
    "dmarc_syntax" Any, 1, policies::dmarc_syntax, policies::dmarc_corrected;
    "dmarc_absent" Any, 1, policies::dmarc_absent, nothing;
    "dmarc_inherited" Below, 1, policies::dmarc_inherited, policies::dmarc_own_too;
    "dmarc_wrong_place" Any, 1, dmarc::wrong_place, dmarc::right_place;
    "dmarc_rua_unauthorised" Any, 1, dmarc::rua_unauthorised, dmarc::rua_authorised;
    "dmarc_wildcard" Any, 1, dmarc::wildcard, dmarc::beside_wildcard;
    "dmarc_old_tags" Any, 1, dmarc::old_tags, policies::dmarc_corrected;
    "dmarc_test_mode" Any, 1, dmarc::test_mode, dmarc::in_force;
    "dmarc_cname" Any, 1, dmarc::cname, nothing;
    "dmarc_psl_disagrees" Below, 1, dmarc::psl_disagrees, policies::dmarc_own_too;
    "txt_key_inline" Any, 1, slips::txt_key_inline, nothing;
    "wrong_type_url_redirect" Often("namecheap"), 1, slips::wrong_type_url_redirect, slips::site_redirected;
    "dname_above" Any, 1, slips::dname_above, slips::dname_beside;
    "label_extra" Below, 1, slips::label_extra, slips::label_extra_beside;
    "underscore_typo" Any, 1, slips::underscore_typo, slips::underscore_typo_beside;
    "fields_swapped" Any, 1, slips::fields_swapped, slips::fields_swapped_beside;
    "value_invisible" Any, 1, slips::value_invisible, nothing;
    "value_url" Any, 1, slips::value_url, nothing;
    "value_quoted" Any, 1, slips::value_quoted, nothing;
    "value_comma" Any, 1, slips::value_comma, nothing;
    "value_type_word" Any, 1, slips::value_type_word, nothing;
    "token_truncated" Any, 1, slips::token_truncated, nothing;
    "token_stale" Any, 1, slips::token_stale, slips::old_tokens_beside;
    "cname_and_other" Any, 1, slips::cname_and_other, slips::cname_alone;
    "wildcard_shadowing" Any, 1, slips::wildcard_shadowing, slips::full;
    "ses_target_nxdomain" Any, 1, slips::ses_target_nxdomain, slips::full;
    "ses_key_all_empty" Any, 1, slips::ses_key_all_empty, slips::full;
    "cname_at_parent" Below, 1, slips::cname_at_parent, slips::alias_beside;
    "spf_as_cname" Below, 1, slips::spf_as_cname, slips::alias_beside;
    "ttl_long" Any, 1, slips::ttl_long, slips::ttl_not_long;
    "byo_cname_instead" Any, 1, own_key::cname_instead, own_key::right;
    "byo_multiple_txt" Any, 1, own_key::multiple_txt, own_key::right;
    "byo_escaped_semicolon" Any, 1, own_key::escaped_semicolon, own_key::right;
    "byo_key_lowercased" Any, 1, own_key::key_lowercased, own_key::right;
    "byo_key_split_space" Any, 1, own_key::key_split_space, own_key::right;
    "byo_key_truncated" Any, 1, own_key::key_truncated, own_key::right;
    "byo_revoked" Any, 1, own_key::revoked, own_key::right;
    "byo_weak" Any, 1, own_key::weak, own_key::right;
    "byo_key_mismatch" Any, 1, own_key::key_mismatch, own_key::right;
    "mx_null" Any, 1, mail::mx_null, mail::taken_in;
    "mx_null (MAIL FROM)" Any, 1, mail::mx_null_for_bounces, mail::bounces;
    "mx_zone_appended" Any, 1, mail::mx_zone_appended, mail::taken_in;
    "mx_zone_appended (MAIL FROM)" Any, 1, mail::mx_zone_appended_for_bounces, mail::bounces;
    "mx_is_ip" Any, 1, mail::mx_is_ip, mail::taken_in;
    "mx_is_ip (MAIL FROM)" Any, 1, mail::mx_is_ip_for_bounces, mail::bounces;
    "mx_is_cname" Any, 1, mail::mx_is_cname, mail::taken_in;
    "mx_is_cname (MAIL FROM)" Any, 1, mail::mx_is_cname_for_bounces, mail::bounces;
    "mx_target_dead" Any, 1, mail::mx_target_dead, mail::taken_in;
    "mx_target_dead (MAIL FROM)" Any, 1, mail::mx_target_dead_for_bounces, mail::bounces;
    "mx_foreign" Any, 1, mail::mx_foreign, mail::taken_in;
    "mx_foreign (MAIL FROM)" Any, 1, mail::mx_foreign_for_bounces, mail::bounces;
    "mx_inbound_absent" Any, 1, mail::mx_inbound_absent, mail::taken_in;
    "mx_implicit_a" Any, 1, mail::mx_implicit_a, mail::address_beside;
    "mailfrom_mx_absent" Any, 1, mail::mailfrom_mx_absent, mail::bounces;
    "mailfrom_region" Any, 1, mail::mailfrom_region, mail::in_that_region;
    "mailfrom_mx_extra" Any, 1, mail::mailfrom_mx_extra, mail::bounces;
    "mailfrom_spf_absent" Any, 1, mail::mailfrom_spf_absent, mail::bounces;
    "mailfrom_is_cname" Any, 1, mail::mailfrom_is_cname, mail::alias_below;
    "dmarc_strict_misalign" Any, 1, mail::dmarc_strict_misalign, mail::aligned;
    "dmarc_misalign" Any, 1, mail::dmarc_misalign, mail::aligned;
    "spf_on_unused_name" Any, 1, mail::spf_on_unused_name, mail::bounces;
    "MX and MAIL FROM" Any, 1, mail::both, mail::bounces;
    "spf_too_many_lookups" Any, 1, spf::too_many_lookups, spf::just_enough_lookups;
    "spf_loop" Any, 1, spf::circle, spf::included_twice;
    "spf_include_dead" Any, 1, spf::include_dead, spf::included_twice;
    "spf_void" Any, 1, spf::void, spf::two_void;
    "spf_plus_all" Any, 1, spf::plus_all, spf::minus_all;
    "spf_terms_after_all" Any, 1, spf::terms_after_all, spf::explanation_after_all;
    "spf_redirect_with_all" Any, 1, spf::redirect_with_all, spf::redirect_alone;
    "spf_ptr" Any, 1, spf::pointer, spf::minus_all;
    "spf_neutral_all" Any, 1, spf::neutral_all, spf::minus_all;
    "spf_no_all" Any, 1, spf::no_all, spf::redirect_alone;
    "answer_too_large" Any, 1, health::answer_too_large, health::many_texts;
    "broken_edns" Any, 1, health::broken_edns, health::silent_on_edns;
    "broken_0x20" Any, 1, health::broken_0x20, health::lower_case_over_tcp;
    "broken_qmin" Any, 1, health::broken_qmin, health::denies_another_name;
    "refused_by_policy" Any, 1, health::refused_by_policy, health::refuses_other_names;
    "broken_tcp" Any, 1, health::broken_tcp, health::whole_over_tcp;
    "cname_at_apex" Any, 1, health::cname_at_apex, health::cname_below_apex;
    "dnssec_bogus_no_dnskey" Any, 1, health::dnssec_bogus, health::unknown_algorithm;
    "dnssec_expired_sig" Any, 1, health::dnssec_expired, health::dnssec_in_time;
    "domain_connect" Any, 1, health::domain_connect, health::no_host_to_connect_to;
    "expired_parked" Any, 1, health::expired_parked, health::served_by_the_parking_service;
    "glue_stale" Any, 1, health::glue_stale, health::glue_fresh;
    "no_delegation_subzone" Below, 1, health::no_delegation_subzone, dkim::subzone_right;
    "wrong_provider_edited" Any, 1, health::wrong_provider_edited, health::right_provider_edited;
}
