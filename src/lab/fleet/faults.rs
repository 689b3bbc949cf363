//! What can be wrong with a tenant, each fault with the providers where it happens and what must come of it.

use crate::lab::dice::Dice;
use crate::lab::fleet::tenant::{Sender, Tenant};
use crate::lab::fleet::{dmarc, exchange, records, servers, slips, spf};

/// What must come of the check of a tenant with a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// The verdict is `failing`, the fault its root cause.
    Failing,
    /// The verdict is `partial`, the fault its root cause.
    Partial,
    /// The verdict is `partial`, for records that are absent; the fault is found beside.
    PartialByAbsence,
    /// The verdict is `propagating`, the fault its root cause.
    Propagating,
    /// The verdict is `indeterminate`, the fault its root cause.
    Indeterminate,
    /// The verdict is `ready`, and the fault is found all the same.
    Ready,
    /// The verdict is `ready`; the fault is found beside an MX record that is absent.
    ReadyByAbsence,
}

/// Where a tenant with a fault is.
pub(super) type Places = &'static [&'static str];

/// A fault.
pub(super) struct Fault {
    /// The code of the catalogue.
    pub(super) code: &'static str,
    /// What happened, for the comment above the tenant.
    pub(super) remark: &'static str,
    /// The providers and hosters where it happens; any provider where there is none.
    pub(super) places: Places,
    /// Where the sender domain must be for it.
    pub(super) sender: Sender,
    /// How often it happens, beside the once that every fault does.
    pub(super) weight: usize,
    /// What must come of it.
    pub(super) outcome: Outcome,
    /// Does it to a tenant whose records are right.
    pub(super) apply: fn(&mut Tenant, &mut Dice),
}

use Outcome::{Failing, Indeterminate, Partial, PartialByAbsence, Propagating, Ready, ReadyByAbsence};
use Sender::{Anywhere, AtZone, Below, Deep};

/// Any of the big providers.
const ANY: Places = &[];
/// Panels that put the zone behind the host.
const APPENDS_TO_HOST: Places =
    &["godaddy", "godaddy", "godaddy", "namecheap", "vercel", "squarespace", "hover", "wix"];
/// Panels that put the zone behind a value without a dot at its end.
const APPENDS_TO_VALUE: Places = &["gandi", "hetzner", "ovhcloud", "digitalocean"];
/// Panels that take no dot at the end of a value.
const REFUSES_DOT: Places = &["ionos", "wix", "netlify"];
/// Providers whose panels have an ALIAS or a redirect beside the CNAME.
const HAS_ALIAS: Places = &["namecheap", "namecheap", "route53", "azure", "netlify"];
/// Panels that make host names of what is typed.
const STRIPS: Places = &["wix", "hover", "ionos"];
/// A hoster that does its work.
const HARBORLINE: Places = &["harborline"];

/// Makes the rows of the table below.
macro_rules! faults {
    ($($code:literal $places:expr, $sender:expr, $weight:literal, $outcome:expr, $apply:path, $remark:literal;)*) => {
        /// All faults.
        pub(super) const FAULTS: &[Fault] = &[$(Fault {
            code: $code, remark: $remark, places: $places, sender: $sender, weight: $weight, outcome: $outcome, apply: $apply,
        }),*];
    };
}

faults! {
    "not_registered" ANY, Anywhere, 2, Failing, servers::not_registered, "the registration ran out";
    "delegation_loop" HARBORLINE, Anywhere, 0, Indeterminate, servers::delegation_loop, "its server and a partner's live in each other's zone";
    "ns_unresolvable" HARBORLINE, Anywhere, 1, Indeterminate, servers::ns_unresolvable, "both name servers are misspelled at the registrar";
    "ns_unresolvable" HARBORLINE, Anywhere, 0, Ready, servers::ns_unresolvable_in_part, "one name server is misspelled at the registrar";
    "ns_address_forbidden" HARBORLINE, Anywhere, 0, Indeterminate, servers::ns_address_forbidden, "its name servers have addresses of an office network";
    "lame_all" &["tidepool"], Anywhere, 2, Indeterminate, servers::not_served, "the hoster closed, the delegation stayed";
    "lame_all" &["old_lantern"], Anywhere, 0, Indeterminate, servers::not_served, "the name servers know nothing but the root";
    "ns_unreachable" &["sleepy_meadow"], Anywhere, 0, Indeterminate, servers::not_served, "nothing comes from its name servers";
    "ns_unreachable" &["copper_gate"], Anywhere, 0, Indeterminate, servers::not_served, "nobody listens at its name servers";
    "budget_exceeded" &["nest"], Anywhere, 0, Indeterminate, servers::not_served, "its name servers are found through name servers found through name servers";
    "unable_to_check" &["slate_roof"], Anywhere, 1, Indeterminate, servers::unable_to_check, "the servers fail at all names below _domainkey";
    "inconsistent_servers" &["ovhcloud", "hover", "wix", "harborline"], Anywhere, 3, Propagating, servers::inconsistent_servers, "the last server does not have the records yet";
    "subzone_shadow" ANY, Below, 2, Failing, servers::subzone_shadow, "the sender domain is a zone of its own, the records were added above it";
    "cf_proxied" &["cloudflare"], Anywhere, 3, Failing, records::cf_proxied, "the records are proxied (orange cloud)";
    "cf_flattened" &["cloudflare"], Anywhere, 3, Failing, records::cf_flattened, "the CNAMEs are flattened";
    "wildcard_synth" &["porkbun"], AtZone, 1, Failing, records::wildcard_synth, "nothing was added, the parking wildcard answers";
    "wrong_type_txt" ANY, Anywhere, 3, Failing, records::wrong_type_txt, "TXT was chosen as type";
    "wrong_type_address" HAS_ALIAS, Anywhere, 2, Failing, records::wrong_type_address, "a redirect or ALIAS was chosen as type";
    "multiple_cnames" HARBORLINE, Anywhere, 0, Failing, records::multiple_cnames, "the old CNAMEs stayed beside the new ones";
    "cname_loop" ANY, Anywhere, 0, Failing, records::cname_loop, "the CNAMEs lead back to themselves";
    "host_doubled" APPENDS_TO_HOST, Anywhere, 10, Failing, records::host_doubled, "the full name was typed, the panel put the zone behind it";
    "label_missing" ANY, Below, 5, Failing, records::label_missing, "the records stand at the zone, the sender domain lies below it";
    "domainkey_missing" ANY, Anywhere, 1, Failing, records::domainkey_missing, "the token alone was typed as host";
    "underscore_stripped" STRIPS, Anywhere, 1, Failing, records::underscore_stripped, "the panel dropped the underscore";
    "target_zone_appended" APPENDS_TO_VALUE, Anywhere, 4, Failing, records::target_zone_appended, "the panel put the zone behind the value";
    "target_dot_escaped" REFUSES_DOT, Anywhere, 1, Failing, records::target_dot_escaped, "the panel took the final dot for a character";
    "wrong_region" ANY, Anywhere, 1, Failing, records::wrong_region, "the values come from another region's console";
    "token_swapped" ANY, Anywhere, 1, Partial, records::token_swapped, "two values were exchanged";
    "wrong_provider_target" ANY, Anywhere, 1, Failing, records::wrong_provider_target, "the values are another mail service's";
    "wrong_target" ANY, Anywhere, 1, Failing, records::wrong_target, "the values are the web site's host";
    "absent" ANY, Anywhere, 10, Failing, records::absent, "nothing was added";
    "partial" ANY, Anywhere, 5, PartialByAbsence, records::partial, "not all three records were added";
    "indirect" ANY, Anywhere, 0, Failing, records::indirect, "the CNAMEs lead to the targets over other names";
    "txt_key_inline" ANY, Anywhere, 1, Failing, slips::txt_key_inline, "the keys were pasted instead of the names";
    "wrong_type_url_redirect" &["namecheap"], Anywhere, 1, Failing, slips::wrong_type_url_redirect, "URL redirect was chosen as type";
    "dname_above" HARBORLINE, Anywhere, 0, Failing, slips::dname_above, "a DNAME leads the keys to another name";
    "label_extra" ANY, Below, 1, Failing, slips::label_extra, "the label of the sender domain was typed twice";
    "underscore_typo" ANY, Anywhere, 1, Failing, slips::underscore_typo, "_domainkey was misspelled";
    "fields_swapped" ANY, Anywhere, 1, Failing, slips::fields_swapped, "host and value were exchanged";
    "value_invisible" ANY, Anywhere, 0, Failing, slips::value_invisible, "a zero-width space was pasted with the values";
    "value_url" ANY, Anywhere, 0, Failing, slips::value_url, "web addresses were pasted";
    "value_quoted" ANY, Anywhere, 1, Failing, slips::value_quoted, "the values were typed in quotation marks";
    "value_comma" ANY, Anywhere, 0, Failing, slips::value_comma, "a comma was pasted with the values";
    "value_type_word" ANY, Anywhere, 0, Failing, slips::value_type_word, "the type was pasted with the values";
    "token_truncated" ANY, Anywhere, 1, Failing, slips::token_truncated, "the last letter of the values was not copied";
    "token_stale" ANY, Anywhere, 2, Failing, slips::token_stale, "the values are those of an identity that is gone";
    "wildcard_shadowing" HARBORLINE, Anywhere, 0, Ready, slips::wildcard_shadowing, "right, but a wildcard has the first record's target";
    "cname_and_other" HARBORLINE, Anywhere, 0, Ready, slips::cname_and_other, "right, but a text stands beside the first CNAME";
    "ses_target_nxdomain" ANY, Anywhere, 0, Ready, slips::ses_target_nxdomain, "right, but the identity was deleted in Amazon SES";
    "ses_key_all_empty" ANY, Anywhere, 0, Ready, slips::ses_key_all_empty, "right, but Amazon SES holds no key";
    "ttl_long" ANY, Anywhere, 1, Ready, slips::ttl_long, "right, but remembered for a day";
    "lame_some" HARBORLINE, Anywhere, 1, Ready, servers::lame_some, "the third name server does not know the zone";
    "parent_child_ns_mismatch" HARBORLINE, Anywhere, 1, Ready, servers::parent_child_ns_mismatch, "the zone names other servers than the registry";
    "spf_multiple" ANY, Anywhere, 2, Ready, records::spf_multiple, "right, but there are two SPF records";
    "spf_syntax" ANY, Anywhere, 1, Ready, records::spf_syntax, "right, but the SPF record has a slip in it";
    "spf_missing_include" ANY, Anywhere, 2, Ready, records::spf_missing_include, "right, but the SPF record names others only";
    "spf_absent" ANY, Anywhere, 2, Ready, records::spf_absent, "right, but there is no SPF record";
    "spf_too_many_lookups" ANY, Anywhere, 0, Ready, spf::too_many_lookups, "right, but the SPF record takes too many lookups";
    "spf_loop" ANY, Anywhere, 0, Ready, spf::circle, "right, but the SPF record leads in a circle";
    "spf_include_dead" ANY, Anywhere, 0, Ready, spf::include_dead, "right, but the SPF record includes a name that is gone";
    "spf_void" ANY, Anywhere, 0, Ready, spf::void, "right, but the SPF record names hosts that are gone";
    "spf_plus_all" ANY, Anywhere, 0, Ready, spf::plus_all, "right, but the SPF record lets anyone send";
    "spf_terms_after_all" ANY, Anywhere, 0, Ready, spf::terms_after_all, "right, but the SPF record goes on behind all";
    "spf_redirect_with_all" ANY, Anywhere, 0, Ready, spf::redirect_with_all, "right, but the SPF record has all and redirect";
    "spf_ptr" ANY, Anywhere, 0, Ready, spf::pointer, "right, but the SPF record uses ptr";
    "spf_neutral_all" ANY, Anywhere, 0, Ready, spf::neutral_all, "right, but the SPF record ends in ?all";
    "spf_no_all" ANY, Anywhere, 0, Ready, spf::no_all, "right, but the SPF record has no end";
    "dmarc_multiple" ANY, Anywhere, 1, Ready, records::dmarc_multiple, "right, but there are two DMARC records";
    "dmarc_syntax" ANY, Anywhere, 1, Ready, records::dmarc_syntax, "right, but the DMARC record has a slip in it";
    "dmarc_wrong_place" ANY, Anywhere, 1, Ready, dmarc::wrong_place, "right, but the underscore of _dmarc was left out";
    "dmarc_strict_misalign" ANY, Anywhere, 0, Ready, dmarc::strict_misalign, "right, but the DMARC record wants SPF to be exactly the domain's";
    "dmarc_rua_unauthorised" ANY, Anywhere, 0, Ready, dmarc::rua_unauthorised, "right, but the service for DMARC reports is gone";
    "dmarc_wildcard" HARBORLINE, Below, 0, Ready, dmarc::wildcard, "right, but the DMARC policy is a wildcard's";
    "dmarc_old_tags" ANY, Anywhere, 1, Ready, dmarc::old_tags, "right, but the DMARC record is of the old standard";
    "dmarc_test_mode" ANY, Anywhere, 0, Ready, dmarc::test_mode, "right, and the DMARC policy is being tried";
    "dmarc_cname" ANY, Anywhere, 0, Ready, dmarc::alias, "right, and the DMARC policy is an alias";
    "dmarc_psl_disagrees" ANY, Deep, 0, Ready, dmarc::psl_disagrees, "right, but the DMARC policy stands half way up";
    "dmarc_absent" ANY, Anywhere, 3, Ready, records::dmarc_absent, "right, but there is no DMARC record";
    "mailfrom_is_cname" ANY, Anywhere, 0, Ready, exchange::mailfrom_is_cname, "right, but the MAIL FROM name is an alias";
    "mx_null" ANY, Anywhere, 0, Ready, exchange::mx_null, "right, but the MX record says that no mail is taken";
    "mx_zone_appended" APPENDS_TO_VALUE, Anywhere, 0, Ready, exchange::mx_zone_appended, "right, but the panel put the zone behind the MX host";
    "mx_is_ip" ANY, Anywhere, 0, Ready, exchange::mx_is_ip, "right, but the MX record holds an address";
    "mailfrom_region" ANY, Anywhere, 0, Ready, exchange::mailfrom_region, "right, but bounces go to another region";
    "mailfrom_mx_extra" ANY, Anywhere, 0, Ready, exchange::mailfrom_mx_extra, "right, but the MAIL FROM name has two MX records";
    "mx_is_cname" ANY, Anywhere, 0, Ready, exchange::mx_is_cname, "right, but the MX record names an alias";
    "mx_target_dead" ANY, Anywhere, 0, Ready, exchange::mx_target_dead, "right, but the MX host is gone";
    "mx_foreign" ANY, Anywhere, 0, Ready, exchange::mx_foreign, "right, but mail goes to another system";
    "mailfrom_mx_absent" ANY, Anywhere, 0, Ready, exchange::mailfrom_mx_absent, "right, but the MAIL FROM name has no MX record";
    "mx_inbound_absent" ANY, Below, 0, Ready, exchange::mx_inbound_absent, "right, but there is no MX record for the mail to come in";
    "mailfrom_spf_absent" ANY, Anywhere, 0, Ready, exchange::mailfrom_spf_absent, "right, but the MAIL FROM name has no SPF record";
    "mx_implicit_a" ANY, AtZone, 0, ReadyByAbsence, exchange::mx_inbound_absent, "right, but mail goes to the web site's address";
}

/// Deals `count` faults: each once as far as it goes, then by weight; in any order.
pub(super) fn deal(count: usize, dice: &mut Dice) -> Vec<&'static Fault> {
    let weighted: Vec<&Fault> = FAULTS.iter().flat_map(|fault| std::iter::repeat_n(fault, fault.weight)).collect();
    let mut dealt: Vec<&Fault> = FAULTS.iter().collect();
    dice.shuffle(&mut dealt);
    dealt.truncate(count);
    while dealt.len() < count {
        let drawn = weighted.get(dice.below(weighted.len())).copied();
        dealt.extend(drawn);
        if drawn.is_none() {
            break;
        }
    }
    dice.shuffle(&mut dealt);
    dealt
}

impl Fault {
    /// Returns the verdict that must come of the check, and the root cause.
    pub(super) fn verdict(&self) -> (&'static str, &'static str) {
        match self.outcome {
            Failing => ("failing", self.code),
            Partial => ("partial", self.code),
            PartialByAbsence => ("partial", "absent"),
            Propagating => ("propagating", self.code),
            Indeterminate => ("indeterminate", self.code),
            Ready | ReadyByAbsence => ("ready", "none"),
        }
    }

    /// Returns the codes of what must be found.
    pub(super) fn findings(&self) -> Vec<&'static str> {
        match self.outcome {
            Partial => vec![self.code, "partial"],
            PartialByAbsence => vec!["absent", self.code],
            ReadyByAbsence => vec!["mx_inbound_absent", self.code],
            Failing | Propagating | Indeterminate | Ready => vec![self.code],
        }
    }
}
