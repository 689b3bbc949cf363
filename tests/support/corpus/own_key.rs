//! Bring-your-own DKIM: one TXT record with a key in place of the three CNAMEs, what happens to it, and the repairs.

use super::dice::Dice;
use super::tenant::{State, Tenant, txt};

/// A key of 1024 bits.
pub(crate) const KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDOLKjYZDgaI8uRe4boeQwLMbf5iPnmDb/ArPcJ4I1MCjs7sFv2YqIv4WiozLJFV4/5e95xnQ3pxI4WogIW/xcpMytdfnHzk2n7EXTNIejbfrKfC/O+tI6YH9CAa2kfIS9oMUoZ8ME/aMw1uZ07Nbt3WrQRUYO+sPPzuV0i9a+E3QIDAQAB";
/// Another one.
const OTHER_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDPLKjYZDgaI8uRe4boeQwLMbf5iPnmDb/ArPcJ4I1MCjs7sFv2YqIv4WiozLJFV4/5e95xnQ3pxI4WogIW/xcpMytdfnHzk2n7EXTNIejbfrKfC/O+tI6YH9CAa2kfIS9oMUoZ8ME/aMw1uZ07Nbt3WrQRUYO+sPPzuV0i9a+E3QIDAQAB";
/// A key of 512 bits.
pub(crate) const WEAK_KEY: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMD1+sOhKNKbU2pSePPhcZRl0NEXXSUCNpAz2bDnhyHVPc66XTaGk/Olrgsf2pSl4KRMiYY/e6wKhFLOdKgKOMcCAwEAAQ==";
/// The selector.
pub(crate) const SELECTOR: &str = "s1";

/// Makes the domain one with a key of its own, whose record stands so.
fn own_key(tenant: &mut Tenant, data: &str, state: State) {
    tenant.own_key = Some(KEY);
    tenant.dkim = Default::default();
    tenant.put(0, tenant.below(&format!("{SELECTOR}._domainkey")), data);
    let [.., spf, dmarc] = tenant.expected.records[..] else { unreachable!("SPF and DMARC come last") };
    tenant.expected.records = vec![state, spf, dmarc];
    tenant.expected.dkim = 1;
    if let State::Wrong(code) = state {
        tenant.expected.root_cause = code;
    }
}

/// Writes a key record.
fn record(key: &str) -> String {
    txt(&format!("v=DKIM1; k=rsa; p={key}"))
}

/// The key is there, in one string or several.
pub(super) fn right(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let at = 20 + dice.below(100);
    let split = format!("TXT \"v=DKIM1; k=rsa; p={}\" \"{}\"", &KEY[..at], &KEY[at..]);
    let forms = [record(KEY), split, txt(&format!("p={KEY}"))];
    own_key(tenant, &forms[dice.below(3)], State::Ok);
}

/// A CNAME stands there.
pub(super) fn cname_instead(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    own_key(tenant, "CNAME www.harborline.example.", State::Wrong("byo_cname_instead"));
}

/// The old record stayed beside the new one.
pub(super) fn multiple_txt(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    own_key(tenant, &record(KEY), State::Wrong("byo_multiple_txt"));
    tenant.others.push((tenant.below(&format!("{SELECTOR}._domainkey")), record(OTHER_KEY)));
}

/// The backslashes were kept.
pub(super) fn escaped_semicolon(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    own_key(tenant, &txt(&format!("v=DKIM1\\\\; k=rsa\\\\; p={KEY}")), State::Wrong("byo_escaped_semicolon"));
}

/// The panel folded the letters.
pub(super) fn key_lowercased(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    own_key(tenant, &record(&KEY.to_lowercase()), State::Wrong("byo_key_lowercased"));
}

/// Blanks were put into the key.
pub(super) fn key_split_space(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    let at = 20 + dice.below(100);
    let key = format!("{} {}", &KEY[..at], &KEY[at..]);
    own_key(tenant, &record(&key), State::Wrong("byo_key_split_space"));
}

/// The end was cut off.
pub(super) fn key_truncated(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    own_key(tenant, &record(&KEY[..40 + dice.below(150)]), State::Wrong("byo_key_truncated"));
}

/// The key was taken out.
pub(super) fn revoked(tenant: &mut Tenant, _: &[usize], dice: &mut Dice) {
    own_key(tenant, &txt(dice.pick(&["v=DKIM1; p=", "v=DKIM1; k=rsa; p="])), State::Wrong("byo_revoked"));
}

/// The key is too short.
pub(super) fn weak(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    own_key(tenant, &record(WEAK_KEY), State::Wrong("byo_weak"));
    tenant.own_key = Some(WEAK_KEY);
}

/// It is another key.
pub(super) fn key_mismatch(tenant: &mut Tenant, _: &[usize], _: &mut Dice) {
    own_key(tenant, &record(OTHER_KEY), State::Wrong("byo_key_mismatch"));
}
