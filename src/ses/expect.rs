//! What an identity of SES makes us expect of the DNS.
//!
//! Reads one [`SesIdentity`] and what the caller knows besides, and says which records have to be there. The names are
//! those that SES tells: the target of a CNAME is `token.` + `SigningHostedZone`, which for a replica is the zone of its
//! parent's region. Only where SES tells no zone is it the classic one.

use crate::dns::name::Name;
use crate::expectation::{DKIM_TOKENS, Expectation, ExpectationError, Facts};
use crate::ses::identity::{DkimOrigin, SesIdentity, SesStatus};

/// Why an identity says nothing that could be checked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectError {
    /// It has neither tokens nor a selector, as where DKIM was never set up.
    #[error(
        "SES tells no DKIM records for {domain} (its DKIM status is {}); `zoneproof ses restart {domain}` sets Easy DKIM up",
        status.as_str()
    )]
    NoTokens {
        /// The sender domain.
        domain: String,
        /// How DKIM stands.
        status: SesStatus,
    },
    /// What it says, or what the caller knows besides, cannot be expected.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
}

/// Says what should be there for an identity.
///
/// # Errors
/// Any [`ExpectError`].
pub fn expectation(identity: &SesIdentity) -> Result<Expectation, ExpectError> {
    Ok(facts(identity, Facts::default())?.expectation()?)
}

/// Puts what SES says in the place of what the caller told: tokens or selector, their zone, region and MAIL FROM.
///
/// What SES does not know is kept: whether it takes in mail, the public key of bring-your-own DKIM, earlier tokens, the
/// DNS provider, and a MAIL FROM name where the identity has none.
///
/// # Errors
/// [`ExpectError::NoTokens`].
pub fn facts(identity: &SesIdentity, told: Facts) -> Result<Facts, ExpectError> {
    let domain = identity.name.to_text_without_dot();
    let has_selector = match identity.origin {
        DkimOrigin::External => true,
        DkimOrigin::EasyDkim | DkimOrigin::Replica { .. } => false,
        // One word is a selector, three are tokens.
        DkimOrigin::Unknown => identity.tokens.len() < DKIM_TOKENS,
    };
    let selector = identity.tokens.first().filter(|_| has_selector).cloned();
    if identity.tokens.is_empty() {
        return Err(ExpectError::NoTokens { domain, status: identity.dkim_status });
    }
    Ok(Facts {
        domain,
        tokens: if has_selector { Vec::new() } else { identity.tokens.clone() },
        dkim_zone: identity.signing_hosted_zone.as_ref().filter(|_| !has_selector).map(Name::to_text_without_dot),
        region: Some(identity.region.clone()),
        mail_from: match &identity.mail_from {
            Some(mail_from) => Some(mail_from.domain.to_text_without_dot()),
            None => told.mail_from,
        },
        public_key: told.public_key.filter(|_| has_selector),
        selector,
        ..told
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ses::identity::{MailFrom, OnMxFailure};

    /// An identity of mail.example.com in eu-north-1.
    fn identity(origin: DkimOrigin, tokens: &[&str], zone: Option<&str>) -> SesIdentity {
        SesIdentity {
            origin,
            tokens: tokens.iter().map(|token| (*token).to_owned()).collect(),
            signing_hosted_zone: zone.map(|zone| Name::parse(zone).unwrap()),
            ..SesIdentity::new(Name::parse("mail.example.com").unwrap(), "eu-north-1")
        }
    }

    /// The records that are required, and those of the MAIL FROM name, as `NAME TYPE`, and what they should hold.
    fn records(expectation: &Expectation) -> Vec<String> {
        let wanted =
            expectation.records.iter().filter(|record| record.is_required || record.kind.as_str().contains("from"));
        wanted.map(|record| format!("{} {} {:?}", record.name, record.record_type, record.expected)).collect()
    }

    #[test]
    fn targets_lie_in_the_zone_that_ses_tells() {
        let replica = DkimOrigin::Replica { parent_region: "us-west-2".to_owned() };
        for (origin, told, zone) in [
            (DkimOrigin::EasyDkim, Some("dkim.eu-north-1.amazonses.com"), "dkim.eu-north-1.amazonses.com."),
            (DkimOrigin::EasyDkim, None, "dkim.amazonses.com."),
            // A replica has the keys of its parent, and so its parent's zone.
            (replica, Some("dkim.us-west-2.amazonses.com"), "dkim.us-west-2.amazonses.com."),
            (DkimOrigin::Unknown, Some("dkim.amazonses.com"), "dkim.amazonses.com."),
        ] {
            let expectation = expectation(&identity(origin.clone(), &["a1", "b2", "c3"], told)).unwrap();
            let expected = ["a1", "b2", "c3"]
                .map(|token| format!("{token}._domainkey.mail.example.com. CNAME Cname({token}.{zone})"));
            assert_eq!(records(&expectation), expected, "{origin:?}");
            assert_eq!(expectation.region.as_deref(), Some("eu-north-1"));
        }
    }

    #[test]
    fn a_key_of_ones_own_is_one_txt_record_at_the_selector() {
        for origin in [DkimOrigin::External, DkimOrigin::Unknown] {
            let identity = identity(origin, &["s2026"], Some("dkim.amazonses.com"));
            let plain = expectation(&identity).unwrap();
            assert_eq!(records(&plain), ["s2026._domainkey.mail.example.com. TXT DkimKey(None)"]);
            let told = Facts { public_key: Some("QUJD".to_owned()), ..Facts::default() };
            let with_key = facts(&identity, told).unwrap().expectation().unwrap();
            assert_eq!(records(&with_key), ["s2026._domainkey.mail.example.com. TXT DkimKey(Some(\"QUJD\"))"]);
        }
    }

    #[test]
    fn the_mail_from_name_wants_the_hosts_of_the_region() {
        let mut identity = identity(DkimOrigin::EasyDkim, &["a1", "b2", "c3"], None);
        identity.mail_from = Some(MailFrom {
            domain: Name::parse("bounce.mail.example.com").unwrap(),
            status: SesStatus::Pending,
            on_mx_failure: OnMxFailure::UseDefaultValue,
        });
        let told = Facts { mail_from: Some("other.mail.example.com".to_owned()), ..Facts::default() };
        let expectation = facts(&identity, told).unwrap().expectation().unwrap();
        let of_mail_from = records(&expectation).split_off(DKIM_TOKENS);
        assert_eq!(of_mail_from.len(), 2, "{of_mail_from:?}");
        assert!(of_mail_from[0].starts_with("bounce.mail.example.com. MX"), "{of_mail_from:?}");
        assert!(of_mail_from[0].contains("eu-north-1"), "{of_mail_from:?}");
        assert!(of_mail_from[1].starts_with("bounce.mail.example.com. TXT SpfInclude(amazonses.com.)"));
    }

    #[test]
    fn what_only_the_caller_knows_is_kept() {
        let told = Facts {
            domain: "other.example".to_owned(),
            tokens: vec!["x".to_owned()],
            dkim_zone: Some("dkim.example".to_owned()),
            region: Some("us-east-1".to_owned()),
            mail_from: Some("bounce.mail.example.com".to_owned()),
            is_inbound: true,
            previous_tokens: vec!["old1".to_owned()],
            dns_provider: Some("godaddy".to_owned()),
            ..Facts::default()
        };
        let merged = facts(&identity(DkimOrigin::EasyDkim, &["a1", "b2", "c3"], None), told.clone()).unwrap();
        let expected = Facts {
            domain: "mail.example.com".to_owned(),
            tokens: ["a1", "b2", "c3"].map(str::to_owned).to_vec(),
            dkim_zone: None,
            region: Some("eu-north-1".to_owned()),
            ..told
        };
        assert_eq!(merged, expected);
    }

    #[test]
    fn an_identity_without_tokens_says_nothing() {
        for origin in [DkimOrigin::EasyDkim, DkimOrigin::External, DkimOrigin::Unknown] {
            let error = expectation(&identity(origin, &[], None)).unwrap_err();
            let domain = "mail.example.com".to_owned();
            assert_eq!(error, ExpectError::NoTokens { domain, status: SesStatus::Unknown });
        }
        let two = expectation(&identity(DkimOrigin::EasyDkim, &["a1", "b2"], None)).unwrap_err();
        assert_eq!(two.to_string(), "2 DKIM tokens; expected 3");
    }
}
