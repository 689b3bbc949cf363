//! Everything that a caller may tell of a domain, as text.

use super::{DEFAULT_DKIM_ZONE, Expectation, ExpectationError};

/// Everything that a caller may tell of a domain, as people type it; all but the domain may be left out.
///
/// Its JSON is what a store keeps: what is left out is not told.
#[derive(Clone, Debug, Default, serde::Deserialize, Eq, PartialEq, serde::Serialize)]
#[serde(default)]
pub struct Facts {
    /// The sender domain.
    pub domain: String,
    /// The three tokens of Easy DKIM, in their order; empty ones do not count where there is a selector.
    pub tokens: Vec<String>,
    /// The name below which the DKIM targets lie; the one of most identities where it is not told.
    pub dkim_zone: Option<String>,
    /// The AWS region of the SES identity.
    pub region: Option<String>,
    /// The custom MAIL FROM name.
    pub mail_from: Option<String>,
    /// Whether Amazon SES takes in the domain's mail.
    pub is_inbound: bool,
    /// The selector of bring-your-own DKIM, instead of tokens.
    pub selector: Option<String>,
    /// The public key of bring-your-own DKIM, in base64.
    pub public_key: Option<String>,
    /// Tokens that earlier identities of the domain had.
    pub previous_tokens: Vec<String>,
    /// Name servers that the domain was delegated to before.
    pub previous_ns: Vec<String>,
    /// The id of the DNS provider that the caller believes in.
    pub dns_provider: Option<String>,
}

impl Facts {
    /// Reads whether Amazon SES takes in the domain's mail: yes or no, true or false, 1 or 0; blank is no.
    ///
    /// # Errors
    /// [`ExpectationError::Inbound`].
    pub fn set_inbound(&mut self, word: &str) -> Result<(), ExpectationError> {
        self.is_inbound = match word.trim().to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" => true,
            "no" | "false" | "0" | "" => false,
            _ => return Err(ExpectationError::Inbound(word.trim().to_owned())),
        };
        Ok(())
    }

    /// Says what should be there. What is blank counts as not told.
    ///
    /// # Errors
    /// Any [`ExpectationError`].
    pub fn expectation(&self) -> Result<Expectation, ExpectationError> {
        let mut expectation = match (told(self.selector.as_ref()), told(self.public_key.as_ref())) {
            (None, Some(_)) => return Err(ExpectationError::KeyWithoutSelector),
            (Some(_), _) if self.tokens.iter().any(|token| !token.trim().is_empty()) => {
                return Err(ExpectationError::TokensAndSelector);
            }
            (Some(selector), key) => Expectation::with_own_key(&self.domain, selector, key)?,
            (None, None) => {
                let zone = told(self.dkim_zone.as_ref()).unwrap_or(DEFAULT_DKIM_ZONE);
                Expectation::new(&self.domain, &self.tokens, zone)?
            }
        };
        if let Some(region) = told(self.region.as_ref()) {
            expectation = expectation.with_region(region)?;
        }
        if let Some(mail_from) = told(self.mail_from.as_ref()) {
            expectation = expectation.with_mail_from(mail_from)?;
        }
        if self.is_inbound {
            expectation = expectation.with_inbound();
        }
        if let Some(id) = told(self.dns_provider.as_ref()) {
            expectation = expectation.with_dns_provider(id);
        }
        expectation = expectation.with_previous_name_servers(&self.previous_ns)?;
        expectation.with_previous_tokens(&self.previous_tokens)
    }
}

/// Returns a text that is not blank.
fn told(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}
