//! Slips of the hand in the DKIM records, and what is worth knowing beside right ones: one function a fault, as in `records`.

use crate::lab::dice::Dice;
use crate::lab::fleet::tenant::{Line, RuleText, Tenant};

/// The servers of Amazon SES.
const SES_SERVERS: [&str; 2] = ["127.4.2.1", "127.4.2.2"];

/// The keys were pasted instead of the names that lead to them.
pub(super) fn txt_key_inline(tenant: &mut Tenant, dice: &mut Dice) {
    for line in &mut tenant.dkim {
        *line = Line::new(line.owner.clone(), "TXT", format!("\"p=MIGfMA0GCSqGSIb3DQEBAQUAA4GN{}\"", dice.token()));
    }
}

/// A URL redirect was chosen as type.
pub(super) fn wrong_type_url_redirect(tenant: &mut Tenant, dice: &mut Dice) {
    let address = format!("192.64.119.{}", 1 + dice.below(254));
    for line in &mut tenant.dkim {
        *line = Line::new(line.owner.clone(), "A", address.clone());
    }
}

/// The subtree of keys was led to another name.
pub(super) fn dname_above(tenant: &mut Tenant, _: &mut Dice) {
    tenant.dkim = vec![Line::new(tenant.below("_domainkey"), "DNAME", "keys.harborline-dns.net.")];
}

/// The label in front of the domain was typed twice.
pub(super) fn label_extra(tenant: &mut Tenant, _: &mut Dice) {
    let label = tenant.sender.split('.').next().unwrap_or_default();
    let owner = |token: &str| format!("{token}._domainkey.{label}");
    tenant.place_dkim(|tenant, token| Line::new(tenant.below(&owner(token)), "CNAME", tenant.target(token)));
}

/// `_domainkey` was misspelled.
pub(super) fn underscore_typo(tenant: &mut Tenant, dice: &mut Dice) {
    let label = dice.pick(&["._domainkeys", "._domain_key", "._dkim", "_domainkey"]);
    let owner = |token: &str| format!("{token}{label}");
    tenant.place_dkim(|tenant, token| Line::new(tenant.below(&owner(token)), "CNAME", tenant.target(token)));
}

/// Host and value were exchanged.
pub(super) fn fields_swapped(tenant: &mut Tenant, _: &mut Dice) {
    tenant.place_dkim(|tenant, token| {
        Line::new(tenant.target(token).trim_end_matches('.'), "CNAME", format!("{}.", tenant.dkim_name(token)))
    });
}

/// A zero-width space was pasted with the values.
pub(super) fn value_invisible(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|tenant, token| format!(r"{}\226\128\139.", tenant.target(token).trim_end_matches('.')));
}

/// Web addresses were pasted.
pub(super) fn value_url(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|tenant, token| format!("https://{}", tenant.target(token)));
}

/// The values were typed in quotation marks.
pub(super) fn value_quoted(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|tenant, token| format!(r#"\"{}\"."#, tenant.target(token).trim_end_matches('.')));
}

/// A comma was pasted with the values.
pub(super) fn value_comma(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|tenant, token| format!("{},.", tenant.target(token).trim_end_matches('.')));
}

/// The type was pasted with the values.
pub(super) fn value_type_word(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|tenant, token| format!(r"CNAME\032{}", tenant.target(token)));
}

/// The last letter of the tokens was not copied.
pub(super) fn token_truncated(tenant: &mut Tenant, _: &mut Dice) {
    tenant.point_dkim(|tenant, token| {
        let cut = token.get(..token.len() - 1).unwrap_or_default();
        tenant.target(cut)
    });
}

/// The values are those of an identity that is gone.
pub(super) fn token_stale(tenant: &mut Tenant, dice: &mut Dice) {
    let targets: Vec<String> = tenant.dkim.iter().map(|_| tenant.target(&dice.token())).collect();
    for (line, target) in tenant.dkim.iter_mut().zip(targets) {
        line.data = target;
    }
}

/// A wildcard has the first record's target.
pub(super) fn wildcard_shadowing(tenant: &mut Tenant, _: &mut Dice) {
    let target = tenant.dkim.first().map(|line| line.data.clone()).unwrap_or_default();
    tenant.others.push(Line::new(tenant.below("*._domainkey"), "CNAME", target));
    tenant.options.push("depth=full".to_owned());
}

/// The servers let a text stand beside the first CNAME.
pub(super) fn cname_and_other(tenant: &mut Tenant, _: &mut Dice) {
    let name = tenant.tokens.first().map(|token| tenant.dkim_name(token)).unwrap_or_default();
    let lines = vec![format!("TXT {name} -> NOERROR, aa"), format!("  answer {name} 1h TXT \"verification=1\"")];
    tenant.rules = vec![RuleText { addresses: tenant.addresses.clone(), lines }];
    tenant.options.push("depth=full".to_owned());
}

/// The identity was deleted in Amazon SES.
pub(super) fn ses_target_nxdomain(tenant: &mut Tenant, _: &mut Dice) {
    let targets = tenant.tokens.iter().map(|token| tenant.target(token));
    let lines = targets.map(|target| format!("TXT {target} -> NXDOMAIN, aa")).collect();
    tenant.rules = vec![RuleText { addresses: SES_SERVERS.map(str::to_owned).to_vec(), lines }];
    tenant.options.push("depth=full".to_owned());
}

/// Amazon SES took all its keys back.
pub(super) fn ses_key_all_empty(tenant: &mut Tenant, _: &mut Dice) {
    let targets = tenant.tokens.iter().map(|token| tenant.target(token));
    let lines = targets
        .flat_map(|target| [format!("TXT {target} -> NOERROR, aa"), format!("  answer {target} 30m TXT \"\"")])
        .collect();
    tenant.rules = vec![RuleText { addresses: SES_SERVERS.map(str::to_owned).to_vec(), lines }];
    tenant.options.push("depth=full".to_owned());
}

/// The records were given a day to live.
pub(super) fn ttl_long(tenant: &mut Tenant, _: &mut Dice) {
    for line in &mut tenant.dkim {
        line.owner = format!("{} 86400", line.owner);
    }
}
