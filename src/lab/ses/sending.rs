//! `SendEmail`: who may send, and what is refused. Nothing leaves this process.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::{Account, folded};
use super::error::ApiError;
use super::identity::Identity;
use super::token::digest;
use super::words::{OnMxFailure, Status};

/// The most recipients of one message (Amazon SES developer guide, service quotas).
const MAX_RECIPIENTS: usize = 50;

/// `SendEmailRequest`, as far as it is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendInput {
    /// Who sends; a raw message may tell it in its header alone, which is not read here.
    from_email_address: Option<String>,
    /// Who is to get it.
    #[serde(default)]
    destination: Destination,
    /// What is sent.
    content: Content,
}

/// `Destination`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    /// The recipients.
    to_addresses: Vec<String>,
    /// Those who get a copy.
    cc_addresses: Vec<String>,
    /// Those whom nobody sees.
    bcc_addresses: Vec<String>,
}

/// `EmailContent`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    /// Subject and text.
    simple: Option<SimpleMessage>,
    /// A whole message.
    raw: Option<RawMessage>,
    /// A template to be filled in.
    template: Option<Value>,
}

/// `Message`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SimpleMessage {
    /// What it is about.
    #[expect(dead_code, reason = "a message without a subject cannot be read, and that is all that it is for")]
    subject: Part,
    /// Its text, plain and in HTML.
    body: BTreeMap<String, Part>,
}

/// `Content`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    /// The text.
    data: String,
}

/// `RawMessage`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawMessage {
    /// The message, in base64.
    data: String,
}

impl Account {
    /// Takes a message.
    pub(super) fn send(&mut self, region: &str, input: &SendInput, now: Timestamp) -> Result<Value, ApiError> {
        check_content(&input.content)?;
        let Some(from) = &input.from_email_address else {
            return Err(ApiError::BadRequest("FromEmailAddress is needed".to_owned()));
        };
        let to = &input.destination;
        let recipients: Vec<&String> =
            to.to_addresses.iter().chain(&to.cc_addresses).chain(&to.bcc_addresses).collect();
        if recipients.is_empty() || recipients.len() > MAX_RECIPIENTS {
            return Err(ApiError::BadRequest(format!("there may be 1 to {MAX_RECIPIENTS} recipients")));
        }
        if self.is_paused {
            return Err(ApiError::SendingPaused);
        }
        let from = bare_address(from);
        let sender = self.sender(region, &from).ok_or_else(|| unverified(region, &from))?;
        let mail_from = sender.mail_from.as_ref();
        let is_rejected = |on_failure, status| on_failure == OnMxFailure::RejectMessage && status != Status::Success;
        if let Some(failed) = mail_from.filter(|name| is_rejected(name.on_failure, name.track.status)) {
            return Err(ApiError::MailFromDomainNotVerified(failed.domain.clone()));
        }
        let identity = sender.name.clone();
        if let [recipient] = recipients.as_slice() {
            self.metrics.count(region, &identity, &bare_address(recipient), now);
        }
        let number = self.counters.calls_in_all();
        let id = digest(&[region, &from, &number.to_string()]);
        Ok(json!({"MessageId": format!("{id:016x}-{number:08x}-{}", now.as_second())}))
    }

    /// Finds the identity that may send from an address: the address itself, its domain, or a domain above.
    fn sender(&self, region: &str, address: &str) -> Option<&Identity> {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain)?;
        let above = domain.match_indices('.').filter_map(|(dot, _)| domain.get(dot + 1..));
        let mut names = std::iter::once(address).chain(std::iter::once(domain)).chain(above);
        names.find_map(|name| self.identity(region, name).ok().filter(|identity| identity.can_send()))
    }
}

/// Says that nobody verified the sender.
fn unverified(region: &str, from: &str) -> ApiError {
    let region = region.to_ascii_uppercase();
    ApiError::MessageRejected(format!("email address is not verified; in region {region} this failed: {from}"))
}

/// Checks that there is a message in exactly one form.
fn check_content(content: &Content) -> Result<(), ApiError> {
    let is_right = match (&content.simple, &content.raw, &content.template) {
        (Some(simple), None, None) => {
            !simple.body.is_empty()
                && simple
                    .body
                    .iter()
                    .all(|(kind, part)| matches!(kind.as_str(), "Text" | "Html") && !part.data.is_empty())
        }
        (None, Some(raw), None) => !raw.data.is_empty(),
        (None, None, Some(_)) => true,
        _ => false,
    };
    if is_right {
        Ok(())
    } else {
        Err(ApiError::BadRequest("Content must be one of Simple, Raw and Template".to_owned()))
    }
}

/// Returns an address in lower case, without the name in front.
fn bare_address(text: &str) -> String {
    let bare = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(text, |(address, _)| address);
    folded(bare.trim())
}
