//! Has SES look for an identity's records again, without throwing its tokens away where SES allows that.
//!
//! Telling SES once more how to sign starts its 72 hours anew and keeps the tokens, so that what is published stays
//! right. Only where SES refuses that is there another way: to delete the identity and make it again, which gives other
//! tokens and loses what hangs on it. That is done only when asked for.

use crate::ses::client::{DkimAnswer, DkimSigning, Identities, NewIdentity, NewMailFrom, PrivateKey, SesError};
use crate::ses::identity::{DkimOrigin, SesIdentity, SesStatus};

/// What may be done for a restart.
#[derive(Clone, Debug, Default)]
pub struct RestartOptions {
    /// Whether the identity may be deleted and made again, with other tokens.
    pub discard_tokens: bool,
    /// The private key of bring-your-own DKIM, which SES never gives back.
    pub private_key: Option<PrivateKey>,
}

/// What was done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Restarted {
    /// Nothing: SES has verified the identity and signs.
    NotNeeded,
    /// Signing was switched on; the records had been found before.
    SwitchedOn,
    /// SES looks again, for the records that are published.
    Kept(DkimAnswer),
    /// SES looks again, but has changed the tokens.
    Changed(DkimAnswer),
    /// The identity was deleted and made again, with other tokens.
    MadeAgain(Box<SesIdentity>),
}

/// Why nothing was done, or not all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RestartError {
    /// SES did not do it.
    #[error(transparent)]
    Ses(#[from] SesError),
    /// The key is the caller's own, and SES needs it once more.
    #[error("this identity signs with a key of your own, which SES never gives back; give it with --private-key FILE")]
    NeedsKey,
    /// SES refuses to look again for the same records.
    #[error(
        "SES refuses to look again for the same records ({refusal}); --discard-tokens deletes the identity and makes it \
         again, which gives other DKIM records to publish and loses its configuration set, policies and tags"
    )]
    WouldLose {
        /// What SES said.
        refusal: SesError,
    },
    /// The identity is deleted, and could not be made again.
    #[error("the identity is deleted and could not be made again: {0}")]
    NotMadeAgain(#[source] SesError),
    /// The identity was made again, and its MAIL FROM name could not be set.
    #[error("the identity was made again, and its MAIL FROM name could not be set: {0}")]
    WithoutMailFrom(#[source] SesError),
}

/// Has SES look again for the records of an identity, as it was read just before.
///
/// # Errors
/// Any [`RestartError`].
pub async fn restart(
    identities: &dyn Identities,
    identity: &SesIdentity,
    options: &RestartOptions,
) -> Result<Restarted, RestartError> {
    if identity.dkim_status == SesStatus::Success {
        if identity.signing_enabled {
            return Ok(Restarted::NotNeeded);
        }
        identities.put_dkim_enabled(&identity.name, true).await?;
        return Ok(Restarted::SwitchedOn);
    }
    let signing = signing_of(identity, options)?;
    match identities.put_dkim_signing(&identity.name, &signing).await {
        Ok(answer) => {
            let (mut now, mut before) = (answer.tokens.clone(), identity.tokens.clone());
            now.sort();
            before.sort();
            let is_same = before.is_empty() || now == before;
            Ok(if is_same { Restarted::Kept(answer) } else { Restarted::Changed(answer) })
        }
        Err(refusal @ SesError::Refused { .. }) if options.discard_tokens => {
            make_again(identities, identity, signing).await.map_err(|error| match error {
                // Nothing was deleted: the refusal says more.
                RestartError::Ses(_) => RestartError::Ses(refusal),
                other => other,
            })
        }
        Err(refusal @ SesError::Refused { .. }) => Err(RestartError::WouldLose { refusal }),
        Err(error) => Err(error.into()),
    }
}

/// Says how the identity signs, to be told to SES once more.
fn signing_of(identity: &SesIdentity, options: &RestartOptions) -> Result<DkimSigning, RestartError> {
    match &identity.origin {
        DkimOrigin::EasyDkim | DkimOrigin::Unknown => Ok(DkimSigning::EasyDkim { next_key_length: None }),
        DkimOrigin::Replica { parent_region } => Ok(DkimSigning::Replica { parent_region: parent_region.clone() }),
        DkimOrigin::External => {
            let selector = identity.tokens.first().and_then(|word| crate::dns::name::Name::from_user_input(word).ok());
            match (selector, options.private_key.clone()) {
                (Some(selector), Some(private_key)) => Ok(DkimSigning::Own { selector, private_key }),
                _ => Err(RestartError::NeedsKey),
            }
        }
    }
}

/// Deletes an identity and makes it again, with its MAIL FROM name.
async fn make_again(
    identities: &dyn Identities,
    identity: &SesIdentity,
    signing: DkimSigning,
) -> Result<Restarted, RestartError> {
    identities.delete(&identity.name).await?;
    let new = NewIdentity { signing, ..NewIdentity::new(identity.name.clone()) };
    let made = identities.create(&new).await.map_err(RestartError::NotMadeAgain)?;
    if let Some(mail_from) = &identity.mail_from {
        let again = NewMailFrom { domain: mail_from.domain.clone(), on_mx_failure: mail_from.on_mx_failure };
        let set = identities.put_mail_from(&identity.name, Some(&again)).await;
        set.map_err(RestartError::WithoutMailFrom)?;
    }
    Ok(Restarted::MadeAgain(Box::new(made)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;
    use crate::ses::identity::{MailFrom, OnMxFailure};
    use crate::ses::memory::{Asked, Memory};

    /// An identity of mail.example.com that failed.
    fn failed(origin: DkimOrigin, tokens: &[&str]) -> SesIdentity {
        let name = Name::parse("mail.example.com").unwrap();
        SesIdentity {
            origin,
            dkim_status: SesStatus::Failed,
            tokens: words(tokens),
            mail_from: Some(MailFrom {
                domain: name.prepend("bounce").unwrap(),
                status: SesStatus::Failed,
                on_mx_failure: OnMxFailure::RejectMessage,
            }),
            ..SesIdentity::new(name, "eu-west-1")
        }
    }

    /// Texts of one's own.
    fn words(tokens: &[&str]) -> Vec<String> {
        tokens.iter().map(|token| (*token).to_owned()).collect()
    }

    /// An SES that gives these tokens, and refuses where it is told to.
    fn ses(tokens: &[&str], refuses: bool) -> Memory {
        Memory { tokens: words(tokens), signing_error: refuses.then(refusal), ..Memory::default() }
    }

    /// What it refuses with.
    fn refusal() -> SesError {
        SesError::Refused { code: "BadRequestException".to_owned(), message: "no".to_owned() }
    }

    /// Plain options.
    fn plain() -> RestartOptions {
        RestartOptions::default()
    }

    #[tokio::test]
    async fn a_restart_keeps_the_tokens_and_says_where_it_does_not() {
        let identity = failed(DkimOrigin::EasyDkim, &["a", "b", "c"]);
        for (given, is_kept) in [(["c", "b", "a"], true), (["a", "b", "d"], false)] {
            let ses = ses(&given, false);
            let done = restart(&ses, &identity, &plain()).await.unwrap();
            assert_eq!(matches!(done, Restarted::Kept(_)), is_kept, "{done:?}");
            assert_eq!(matches!(done, Restarted::Changed(_)), !is_kept, "{done:?}");
            assert_eq!(ses.asked(), [Asked::Signing(DkimSigning::EasyDkim { next_key_length: None })]);
        }
    }

    #[tokio::test]
    async fn a_verified_identity_is_left_alone() {
        let verified =
            SesIdentity { dkim_status: SesStatus::Success, ..failed(DkimOrigin::EasyDkim, &["a", "b", "c"]) };
        let options = RestartOptions { discard_tokens: true, ..plain() };
        let ses = ses(&[], false);
        assert_eq!(restart(&ses, &verified, &options).await, Ok(Restarted::NotNeeded));
        assert_eq!(ses.asked(), []);
        let off = SesIdentity { signing_enabled: false, ..verified };
        assert_eq!(restart(&ses, &off, &options).await, Ok(Restarted::SwitchedOn));
        assert_eq!(ses.asked(), [Asked::Enabled(true)]);
    }

    #[tokio::test]
    async fn each_kind_of_identity_is_told_to_sign_as_before() {
        let replica = failed(DkimOrigin::Replica { parent_region: "us-east-1".to_owned() }, &["a", "b", "c"]);
        let ses_of_replica = ses(&["a", "b", "c"], false);
        restart(&ses_of_replica, &replica, &plain()).await.unwrap();
        let parent = DkimSigning::Replica { parent_region: "us-east-1".to_owned() };
        assert_eq!(ses_of_replica.asked(), [Asked::Signing(parent)]);
        let own = failed(DkimOrigin::External, &["s1"]);
        let ses_of_own = ses(&["s1"], false);
        assert_eq!(restart(&ses_of_own, &own, &plain()).await, Err(RestartError::NeedsKey));
        assert_eq!(ses_of_own.asked(), []);
        let private_key = PrivateKey("MIIE".to_owned());
        let options = RestartOptions { private_key: Some(private_key.clone()), ..plain() };
        assert!(matches!(restart(&ses_of_own, &own, &options).await, Ok(Restarted::Kept(_))));
        let signing = DkimSigning::Own { selector: Name::parse("s1").unwrap(), private_key };
        assert_eq!(ses_of_own.asked(), [Asked::Signing(signing)]);
    }

    #[tokio::test]
    async fn tokens_are_thrown_away_only_when_asked_for() {
        let identity = failed(DkimOrigin::EasyDkim, &["a", "b", "c"]);
        let refusing = ses(&["x", "y", "z"], true);
        let error = restart(&refusing, &identity, &plain()).await.unwrap_err();
        assert_eq!(error, RestartError::WouldLose { refusal: refusal() });
        assert_eq!(refusing.asked().len(), 1, "nothing but being told how to sign");
        let options = RestartOptions { discard_tokens: true, ..plain() };
        let Ok(Restarted::MadeAgain(made)) = restart(&refusing, &identity, &options).await else { panic!() };
        assert_eq!(made.tokens, ["x", "y", "z"]);
        let again = NewMailFrom {
            domain: Name::parse("bounce.mail.example.com").unwrap(),
            on_mx_failure: OnMxFailure::RejectMessage,
        };
        let expected = [
            Asked::Delete(identity.name.clone()),
            Asked::Create(NewIdentity::new(identity.name.clone())),
            Asked::MailFrom(Some(again)),
        ];
        assert_eq!(refusing.asked()[2..], expected);
    }

    #[tokio::test]
    async fn trouble_that_passes_deletes_nothing() {
        let identity = failed(DkimOrigin::EasyDkim, &["a", "b", "c"]);
        let options = RestartOptions { discard_tokens: true, ..plain() };
        let busy = Memory { signing_error: Some(SesError::Throttled), ..Memory::default() };
        assert_eq!(restart(&busy, &identity, &options).await, Err(SesError::Throttled.into()));
        assert_eq!(busy.asked().len(), 1);
        let full = SesError::QuotaReached("full".to_owned());
        let lost = Memory { create_error: Some(full.clone()), ..ses(&[], true) };
        assert_eq!(restart(&lost, &identity, &options).await, Err(RestartError::NotMadeAgain(full)));
    }
}
