//! What gets into values and hosts of DKIM records when they are typed, pasted or stored, and what is worth knowing
//! beside records that are right.

use std::fmt::Write;

use super::dice::Dice;
use super::dkim::{add_right, misplace, point};
use super::tenant::{State, Tenant, txt};

/// A key was copied in place of the CNAME.
pub(super) fn txt_key_inline(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let text =
        dice.pick(&["v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC1", "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNAD"]);
    mask.iter().for_each(|at| tenant.put(*at, tenant.owner(*at), txt(text)));
    tenant.call_wrong(mask, "txt_key_inline");
}

/// The type "URL redirect" was chosen at Namecheap; the same address elsewhere is a wrong type.
pub(super) fn wrong_type_url_redirect(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    mask.iter().for_each(|at| tenant.put(*at, tenant.owner(*at), "A 192.64.119.7"));
    let is_redirector = tenant.set.provider == "namecheap";
    tenant.call_wrong(mask, if is_redirector { "wrong_type_url_redirect" } else { "wrong_type_address" });
}

/// The web site is redirected, the records are CNAMEs.
pub(super) fn site_redirected(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push(("www".to_owned(), "A 192.64.119.7".to_owned()));
}

/// A DNAME leads the names of the keys elsewhere.
pub(super) fn dname_above(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let is_there = dice.below(2) == 0;
    for at in 0..3 {
        let kept = is_there.then(|| (format!("{}.keys", tenant.tokens[at]), tenant.right(at)));
        tenant.dkim[at] = kept.into_iter().collect();
    }
    tenant.others.push((tenant.below("_domainkey"), format!("DNAME keys.{}.", tenant.zone())));
    tenant.call_wrong(&[0, 1, 2], "dname_above");
}

/// A DNAME leads other names elsewhere.
pub(super) fn dname_beside(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push(("old".to_owned(), format!("DNAME keys.{}.", tenant.zone())));
}

/// The subdomain's label is there twice, or a www too many.
pub(super) fn label_extra(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let is_www = dice.below(2) == 0;
    misplace(tenant, mask, "label_extra", |tenant, at| {
        let label = tenant.sender.split('.').next().unwrap();
        let behind = if is_www { "www".to_owned() } else { format!("{label}.{}", tenant.sender) };
        format!("{}._domainkey.{behind}", tenant.tokens[at])
    });
}

/// The right records were added, those with a label too many stayed.
pub(super) fn label_extra_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    label_extra(tenant, mask, dice);
    add_right(tenant, mask);
}

/// The label for keys is misspelled or in the wrong place.
pub(super) fn underscore_typo(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let form = dice.pick(&["T._domainkeys", "T._domain_key", "T._dkim", "T-_domainkey", "T_domainkey", "_domainkey.T"]);
    misplace(tenant, mask, "underscore_typo", |tenant, at| tenant.below(&form.replace('T', &tenant.tokens[at])));
}

/// The right records were added, the misspelled ones stayed.
pub(super) fn underscore_typo_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    underscore_typo(tenant, mask, dice);
    add_right(tenant, mask);
}

/// Host and value were exchanged.
pub(super) fn fields_swapped(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    for at in mask {
        let name = format!("CNAME {}._domainkey.{}.", tenant.tokens[*at], tenant.domain());
        tenant.put(*at, tenant.target(*at), name);
    }
    tenant.call_wrong(mask, "fields_swapped");
}

/// The right records were added, the others stayed.
pub(super) fn fields_swapped_beside(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    fields_swapped(tenant, mask, dice);
    add_right(tenant, mask);
}

/// A character that cannot be seen was pasted too.
pub(super) fn value_invisible(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let form = dice.pick(&["\\226\\128\\139T", "T\\194\\160"]);
    point(tenant, mask, "value_invisible", |tenant, at| dressed(tenant, at, form));
}

/// Puts the target of a token into a form.
fn dressed(tenant: &Tenant, at: usize, form: &str) -> String {
    form.replace('T', &tenant.target(at))
}

/// The value was taken for a web address.
pub(super) fn value_url(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let form = dice.pick(&["http://T", "https://T/", "T/"]);
    point(tenant, mask, "value_url", |tenant, at| dressed(tenant, at, form));
}

/// The value was typed in quotation marks.
pub(super) fn value_quoted(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let form = dice.pick(&["\\\"T\\\"", "'T'", "\\032T"]);
    point(tenant, mask, "value_quoted", |tenant, at| dressed(tenant, at, form));
}

/// A comma or semicolon was pasted too.
pub(super) fn value_comma(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let form = dice.pick(&["T,", "T\\;"]);
    point(tenant, mask, "value_comma", |tenant, at| dressed(tenant, at, form));
}

/// A word of the form was typed in front of the value.
pub(super) fn value_type_word(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let form = dice.pick(&["CNAME\\032T", "10\\032T", "value:T"]).to_owned();
    point(tenant, mask, "value_type_word", |tenant, at| {
        let (front, target) = (form.trim_end_matches('T'), tenant.target(at));
        format!("{front}{target}")
    });
}

/// The last letters of the token were not copied.
pub(super) fn token_truncated(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let lost = 1 + dice.below(3);
    point(tenant, mask, "token_truncated", |tenant, at| {
        let token = &tenant.tokens[at];
        format!("{}.{}", &token[..token.len() - lost], tenant.dkim_zone)
    });
}

/// The value is of an earlier identity.
pub(super) fn token_stale(tenant: &mut Tenant, mask: &[usize], dice: &mut Dice) {
    let stale = [dice.token(), dice.token(), dice.token()];
    point(tenant, mask, "token_stale", |tenant, at| format!("{}.{}", stale[at], tenant.dkim_zone));
}

/// The records of the earlier identity stayed under their own names.
pub(super) fn old_tokens_beside(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let stale = dice.token();
    let owner = tenant.below(&format!("{stale}._domainkey"));
    tenant.others.push((owner, format!("CNAME {stale}.dkim.amazonses.com.")));
}

/// Other records stand beside the CNAMEs, on a server that checks nothing.
pub(super) fn cname_and_other(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    for at in mask {
        let name = format!("{}._domainkey.{}", tenant.tokens[*at], tenant.domain());
        tenant.rule(&format!("TXT {name} -> NOERROR, aa"));
        writeln!(tenant.more, "    answer {name} 1h TXT \"site-verification=1\"").unwrap();
    }
    tenant.is_full = true;
    tenant.expected.beside.insert("cname_and_other");
}

/// The CNAMEs stand alone there.
pub(super) fn cname_alone(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.move_to_odd();
    tenant.is_full = true;
}

/// A wildcard has the target of one of the records.
pub(super) fn wildcard_shadowing(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    let at = mask[0];
    tenant.put(at, tenant.below("*._domainkey"), tenant.right(at));
    tenant.is_full = true;
    tenant.expected.beside.insert("wildcard_shadowing");
}

/// All is looked at, and all is well.
pub(super) fn full(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.is_full = true;
}

/// Amazon SES does not know the targets any more.
pub(super) fn ses_target_nxdomain(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    in_region(tenant, "dkim.eu-south-1.amazonses.com");
    tenant.expected.beside.insert("ses_target_nxdomain");
}

/// Amazon SES keeps no key for any of the three.
pub(super) fn ses_key_all_empty(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    in_region(tenant, "dkim.af-south-1.amazonses.com");
    tenant.expected.beside.insert("ses_key_all_empty");
}

/// Makes the identity one of a region, where all is looked at.
fn in_region(tenant: &mut Tenant, dkim_zone: &'static str) {
    tenant.dkim_zone = dkim_zone;
    (0..3).for_each(|at| tenant.point(at, &tenant.target(at)));
    tenant.is_full = true;
}

/// The sender domain is an alias of a web site.
pub(super) fn cname_at_parent(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.spf.clear();
    tenant.others.push((tenant.apex(), "CNAME www.harborline.example.".to_owned()));
    tenant.expected.beside.insert("cname_at_parent");
    tenant.expected.records[3] = State::Absent("spf_absent");
}

/// The sender domain is an alias of a name with an SPF record.
pub(super) fn spf_as_cname(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.spf.clear();
    tenant.others.push((tenant.apex(), "CNAME _spf.harborline.example.".to_owned()));
    tenant.expected.beside.insert("spf_as_cname");
}

/// A name beside the sender domain is an alias.
pub(super) fn alias_beside(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    tenant.others.push((tenant.below("click"), "CNAME www.harborline.example.".to_owned()));
}

/// The records are kept for a day.
pub(super) fn ttl_long(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    mask.iter().for_each(|at| tenant.put(*at, tenant.owner(*at), format!("86400 {}", tenant.right(*at))));
    tenant.expected.beside.insert("ttl_long");
}

/// The records are kept for a second less.
pub(super) fn ttl_not_long(tenant: &mut Tenant, mask: &[usize], _: &mut Dice) {
    mask.iter().for_each(|at| tenant.put(*at, tenant.owner(*at), format!("86399 {}", tenant.right(*at))));
}
