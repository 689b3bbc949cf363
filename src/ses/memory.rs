//! An SES in memory, for tests of what asks one.

use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::dns::name::Name;
use crate::ses::client::{
    DkimAnswer, DkimSigning, Identities, MetricAnswer, MetricQuery, NewIdentity, NewMailFrom, OutgoingMail, Page,
    PageToken, SesError,
};
use crate::ses::identity::{ListedIdentity, SesIdentity, SesStatus};

/// An SES that holds identities in memory and writes down what it was asked.
#[derive(Default)]
pub(crate) struct Memory {
    /// What it holds.
    pub(crate) identities: Vec<SesIdentity>,
    /// How many identities a page has.
    pub(crate) page: usize,
    /// What it was asked.
    pub(crate) asked: Mutex<Vec<Asked>>,
    /// What goes wrong with single ones.
    pub(crate) get_error: Option<SesError>,
    /// Which page goes wrong, and how.
    pub(crate) list_error: Option<(usize, SesError)>,
    /// Whether it gives the same token again and again.
    pub(crate) goes_round: bool,
    /// What goes wrong with being told how to sign.
    pub(crate) signing_error: Option<SesError>,
    /// What goes wrong with making one.
    pub(crate) create_error: Option<SesError>,
    /// The tokens that it gives when it is told how to sign.
    pub(crate) tokens: Vec<String>,
}

/// One call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Asked {
    /// For a page.
    List,
    /// For one identity.
    Get(Name),
    /// To make one.
    Create(NewIdentity),
    /// To delete one.
    Delete(Name),
    /// To sign in this way.
    Signing(DkimSigning),
    /// To switch signing on or off.
    Enabled(bool),
    /// To use this MAIL FROM name.
    MailFrom(Option<NewMailFrom>),
}

impl Memory {
    /// Writes down a call.
    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap().push(asked);
    }

    /// Everything that it was asked.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many pages it was asked for.
    pub(crate) fn lists(&self) -> usize {
        self.asked().iter().filter(|asked| **asked == Asked::List).count()
    }

    /// Which single ones it was asked for.
    pub(crate) fn gets(&self) -> Vec<Name> {
        let name = |asked: Asked| if let Asked::Get(name) = asked { Some(name) } else { None };
        self.asked().into_iter().filter_map(name).collect()
    }
}

/// Answers at once.
fn answer<'a, T: Send + 'a>(error: Option<&SesError>, value: T) -> BoxFuture<'a, Result<T, SesError>> {
    let outcome = error.cloned().map_or(Ok(value), Err);
    async move { outcome }.boxed()
}

impl Identities for Memory {
    fn region(&self) -> &str {
        "eu-west-1"
    }

    fn list<'a>(&'a self, page: Option<&'a PageToken>) -> BoxFuture<'a, Result<Page, SesError>> {
        let start: usize = page.map_or(0, |token| token.0.parse().unwrap());
        let number = self.lists();
        self.note(Asked::List);
        let error = self.list_error.as_ref().filter(|(bad, _)| *bad == number).map(|(_, error)| error);
        let listed = self.identities.iter().skip(start).take(self.page).map(|identity| ListedIdentity {
            name: identity.name.clone(),
            verification_status: identity.verification_status,
            sending: identity.sending,
        });
        let next = start + self.page;
        let token = if self.goes_round { Some(self.page) } else { (next < self.identities.len()).then_some(next) };
        answer(error, Page { identities: listed.collect(), next: token.map(|next| PageToken(next.to_string())) })
    }

    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<SesIdentity, SesError>> {
        self.note(Asked::Get(name.clone()));
        let found = self.identities.iter().find(|identity| identity.name == *name).cloned();
        let missing = || SesError::NotFound(name.to_text_without_dot());
        let outcome = self.get_error.clone().map_or_else(|| found.ok_or_else(missing), Err);
        async move { outcome }.boxed()
    }

    fn create<'a>(&'a self, new: &'a NewIdentity) -> BoxFuture<'a, Result<SesIdentity, SesError>> {
        self.note(Asked::Create(new.clone()));
        let made = SesIdentity { tokens: self.tokens.clone(), ..SesIdentity::new(new.name.clone(), self.region()) };
        answer(self.create_error.as_ref(), made)
    }

    fn delete<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<(), SesError>> {
        self.note(Asked::Delete(name.clone()));
        answer(None, ())
    }

    fn put_dkim_signing<'a>(
        &'a self,
        _: &'a Name,
        signing: &'a DkimSigning,
    ) -> BoxFuture<'a, Result<DkimAnswer, SesError>> {
        self.note(Asked::Signing(signing.clone()));
        let told = DkimAnswer { status: SesStatus::Pending, tokens: self.tokens.clone(), signing_hosted_zone: None };
        answer(self.signing_error.as_ref(), told)
    }

    fn put_dkim_enabled<'a>(&'a self, _: &'a Name, enabled: bool) -> BoxFuture<'a, Result<(), SesError>> {
        self.note(Asked::Enabled(enabled));
        answer(None, ())
    }

    fn put_mail_from<'a>(
        &'a self,
        _: &'a Name,
        mail_from: Option<&'a NewMailFrom>,
    ) -> BoxFuture<'a, Result<(), SesError>> {
        self.note(Asked::MailFrom(mail_from.cloned()));
        answer(None, ())
    }

    fn send<'a>(&'a self, _: &'a OutgoingMail) -> BoxFuture<'a, Result<String, SesError>> {
        unreachable!("nothing here sends")
    }

    fn metrics<'a>(&'a self, _: &'a [MetricQuery]) -> BoxFuture<'a, Result<Vec<MetricAnswer>, SesError>> {
        unreachable!("nothing here asks for numbers")
    }
}
