//! Between the SDK's types and ours. A word that is not known becomes unknown, never an error.

use aws_sdk_sesv2::error::BuildError;
use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput;
use aws_sdk_sesv2::operation::list_email_identities::ListEmailIdentitiesOutput;
use aws_sdk_sesv2::primitives::{Blob, DateTime};
use aws_sdk_sesv2::types::{
    BehaviorOnMxFailure, Body, Content, DkimAttributes, DkimSigningAttributes, DkimSigningAttributesOrigin,
    DkimSigningKeyLength, EmailContent, IdentityType, MailFromAttributes, Message, RawMessage,
};
use jiff::Timestamp;

use crate::dns::name::Name;
use crate::ses::client::{DkimSigning, MailContent, Page, PageToken, SesError};
use crate::ses::identity::{
    DkimOrigin, KeyLength, ListedIdentity, MailFrom, OnMxFailure, SeenSoa, SesIdentity, SesStatus, VerificationError,
    VerificationInfo,
};

/// Reads a point in time; one beyond the calendar is none.
pub(super) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let nanoseconds = i32::try_from(time.subsec_nanos()).ok()?;
    Timestamp::new(time.secs(), nanoseconds).ok()
}

/// Writes a point in time.
pub(super) fn date_time(time: Timestamp) -> DateTime {
    DateTime::from_secs(time.as_second())
}

/// Reads a domain name that SES tells.
pub(super) fn name(text: &str) -> Result<Name, SesError> {
    Name::from_user_input(text).map_err(|_| SesError::Malformed("a domain name that is none".to_owned()))
}

/// Takes over what is told of DKIM.
pub(super) fn read_dkim(into: &mut SesIdentity, told: &DkimAttributes) -> Result<(), SesError> {
    into.origin = match told.signing_attributes_origin() {
        Some(origin) => DkimOrigin::of_word(origin.as_str()),
        None => DkimOrigin::Unknown,
    };
    into.dkim_status = told.status().map_or(SesStatus::Unknown, |status| SesStatus::of_word(status.as_str()));
    into.signing_enabled = told.signing_enabled();
    into.tokens = told.tokens().to_vec();
    into.signing_hosted_zone = told.signing_hosted_zone().filter(|zone| !zone.is_empty()).map(name).transpose()?;
    let length = |told: &DkimSigningKeyLength| KeyLength::of_word(told.as_str());
    into.current_key_length = told.current_signing_key_length().map(length);
    into.next_key_length = told.next_signing_key_length().map(length);
    into.last_key_generated_at = told.last_key_generation_timestamp().and_then(timestamp);
    Ok(())
}

/// Reads what is told of the custom MAIL FROM name; SES tells an empty one where there is none.
fn read_mail_from(told: &MailFromAttributes) -> Result<Option<MailFrom>, SesError> {
    if told.mail_from_domain().is_empty() {
        return Ok(None);
    }
    Ok(Some(MailFrom {
        domain: name(told.mail_from_domain())?,
        status: SesStatus::of_word(told.mail_from_domain_status().as_str()),
        on_mx_failure: OnMxFailure::of_word(told.behavior_on_mx_failure().as_str()),
    }))
}

/// Reads an identity.
pub(super) fn read_identity(
    domain: &Name,
    region: &str,
    told: &GetEmailIdentityOutput,
) -> Result<SesIdentity, SesError> {
    let mut identity = SesIdentity::new(domain.clone(), region);
    identity.sending = told.verified_for_sending_status();
    let whole = told.verification_status().map(|status| SesStatus::of_word(status.as_str()));
    identity.verification_status = whole.unwrap_or(SesStatus::Unknown);
    match told.dkim_attributes() {
        Some(dkim) => read_dkim(&mut identity, dkim)?,
        None => identity.origin = DkimOrigin::Unknown,
    }
    identity.mail_from = told.mail_from_attributes().map(read_mail_from).transpose()?.flatten();
    identity.verification_info = told.verification_info().map(|info| VerificationInfo {
        last_checked_at: info.last_checked_timestamp().and_then(timestamp),
        last_success_at: info.last_success_timestamp().and_then(timestamp),
        error: info.error_type().map(|error| VerificationError::of_word(error.as_str())),
        soa: info.soa_record().map(|soa| SeenSoa {
            primary: soa.primary_name_server().unwrap_or_default().to_owned(),
            admin: soa.admin_email().unwrap_or_default().to_owned(),
            // SES writes it as a signed number of 64 bits; a serial has 32 without a sign (RFC 1035 §3.3.13).
            serial: u32::try_from(soa.serial_number()).unwrap_or_default(),
        }),
    });
    Ok(identity)
}

/// Reads one page of the listing; addresses, and what is no domain, are left out.
pub(super) fn read_page(told: &ListEmailIdentitiesOutput) -> Page {
    let is_domain = |kind: Option<&IdentityType>| !matches!(kind, Some(IdentityType::EmailAddress));
    let domains = told.email_identities().iter().filter(|one| is_domain(one.identity_type()));
    let identities = domains.filter_map(|one| {
        let status = one.verification_status().map(|status| SesStatus::of_word(status.as_str()));
        Some(ListedIdentity {
            name: Name::from_user_input(one.identity_name()?).ok()?,
            verification_status: status.unwrap_or(SesStatus::Unknown),
            sending: one.sending_enabled(),
        })
    });
    let next = told.next_token().filter(|token| !token.is_empty());
    Page { identities: identities.collect(), next: next.map(|token| PageToken(token.to_owned())) }
}

/// Writes the origin of the keys.
pub(super) fn write_origin(signing: &DkimSigning) -> DkimSigningAttributesOrigin {
    let origin = match signing {
        DkimSigning::EasyDkim { .. } => DkimOrigin::EasyDkim,
        DkimSigning::Own { .. } => DkimOrigin::External,
        DkimSigning::Replica { parent_region } => DkimOrigin::Replica { parent_region: parent_region.clone() },
    };
    DkimSigningAttributesOrigin::from(origin.word().as_str())
}

/// Writes how to sign; `None` where SES's default says it all.
///
/// Only a new identity names its parent's region here; one that is there names it as the origin.
pub(super) fn write_signing(signing: &DkimSigning, is_new: bool) -> Option<DkimSigningAttributes> {
    let attributes = DkimSigningAttributes::builder();
    match signing {
        DkimSigning::EasyDkim { next_key_length } => {
            let length = match next_key_length {
                Some(KeyLength::Rsa1024) => DkimSigningKeyLength::Rsa1024Bit,
                Some(KeyLength::Rsa2048) => DkimSigningKeyLength::Rsa2048Bit,
                Some(KeyLength::Unknown) | None => return None,
            };
            Some(attributes.next_signing_key_length(length).build())
        }
        DkimSigning::Own { selector, private_key } => Some(
            attributes
                .domain_signing_selector(selector.to_text_without_dot())
                .domain_signing_private_key(&private_key.0)
                .build(),
        ),
        DkimSigning::Replica { .. } if is_new => {
            Some(attributes.domain_signing_attributes_origin(write_origin(signing)).build())
        }
        DkimSigning::Replica { .. } => None,
    }
}

/// Writes what happens while the MX record of the MAIL FROM name is not right.
pub(super) fn write_on_mx_failure(behaviour: OnMxFailure) -> BehaviorOnMxFailure {
    match behaviour {
        OnMxFailure::RejectMessage => BehaviorOnMxFailure::RejectMessage,
        OnMxFailure::UseDefaultValue | OnMxFailure::Unknown => BehaviorOnMxFailure::UseDefaultValue,
    }
}

/// Writes what a mail says.
pub(super) fn write_content(content: &MailContent) -> Result<EmailContent, BuildError> {
    let utf8 = |text: &str| Content::builder().data(text).charset("UTF-8").build();
    match content {
        MailContent::Raw(octets) => {
            let raw = RawMessage::builder().data(Blob::new(octets.clone())).build()?;
            Ok(EmailContent::builder().raw(raw).build())
        }
        MailContent::Simple { subject, text, html } => {
            let body = Body::builder()
                .set_text(text.as_deref().map(utf8).transpose()?)
                .set_html(html.as_deref().map(utf8).transpose()?);
            let message = Message::builder().subject(utf8(subject)?).body(body.build());
            Ok(EmailContent::builder().simple(message.build()).build())
        }
    }
}
