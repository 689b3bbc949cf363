use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::*;
use crate::expectation::Facts;
use crate::ses::client::{
    DkimAnswer, DkimSigning, MetricAnswer, MetricQuery, NewMailFrom, OutgoingMail, Page, PageToken,
};
use crate::ses::identity::{ListedIdentity, SesStatus};
use crate::store::{IfKnown, NewDomain};

/// An SES of words: what it has, what it was asked, and whether it answers.
#[derive(Default)]
struct Fake {
    /// Its identities.
    has: Mutex<HashMap<Name, SesIdentity>>,
    /// The calls, in order.
    calls: Mutex<Vec<String>>,
    /// What every call but a listing meets.
    error: Mutex<Option<SesError>>,
    /// Whether a creation is done and its answer lost.
    loses_answers: Mutex<bool>,
}

impl Fake {
    /// Sets what SES says of a domain.
    fn say(&self, name: &str, dkim_status: SesStatus, sending: bool) {
        let name = Name::parse(name).unwrap();
        let identity = SesIdentity {
            dkim_status,
            verification_status: dkim_status,
            sending,
            tokens: ["a", "b", "c"].map(str::to_owned).to_vec(),
            ..SesIdentity::new(name.clone(), "eu-west-1")
        };
        self.has.lock().unwrap().insert(name, identity);
    }

    /// Notes a call, which may fail.
    fn note(&self, call: String) -> Result<(), SesError> {
        self.calls.lock().unwrap().push(call);
        self.error.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    /// Returns the calls since the last time.
    fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Identities for Fake {
    fn region(&self) -> &str {
        "eu-west-1"
    }

    fn create<'a>(&'a self, new: &'a NewIdentity) -> BoxFuture<'a, Result<SesIdentity, SesError>> {
        let name = new.name.to_text_without_dot();
        let answer = self.note(format!("create {name}")).and_then(|()| {
            if self.has.lock().unwrap().contains_key(&new.name) {
                return Err(SesError::AlreadyExists(name.clone()));
            }
            self.say(&name, SesStatus::Pending, false);
            if *self.loses_answers.lock().unwrap() {
                return Err(SesError::Unavailable("the answer was lost".to_owned()));
            }
            Ok(self.has.lock().unwrap()[&new.name].clone())
        });
        futures::future::ready(answer).boxed()
    }

    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<SesIdentity, SesError>> {
        let text = name.to_text_without_dot();
        let answer = self
            .note(format!("get {text}"))
            .and_then(|()| self.has.lock().unwrap().get(name).cloned().ok_or(SesError::NotFound(text)));
        futures::future::ready(answer).boxed()
    }

    fn list<'a>(&'a self, _: Option<&'a PageToken>) -> BoxFuture<'a, Result<Page, SesError>> {
        self.calls.lock().unwrap().push("list".to_owned());
        let listed = |identity: &SesIdentity| ListedIdentity {
            name: identity.name.clone(),
            verification_status: identity.verification_status,
            sending: identity.sending,
        };
        let identities = self.has.lock().unwrap().values().map(listed).collect();
        futures::future::ready(Ok(Page { identities, next: None })).boxed()
    }

    fn delete<'a>(&'a self, _: &'a Name) -> BoxFuture<'a, Result<(), SesError>> {
        unreachable!("a feed deletes nothing")
    }

    fn put_dkim_signing<'a>(&'a self, _: &'a Name, _: &'a DkimSigning) -> BoxFuture<'a, Result<DkimAnswer, SesError>> {
        unreachable!("a feed changes nothing")
    }

    fn put_dkim_enabled<'a>(&'a self, _: &'a Name, _: bool) -> BoxFuture<'a, Result<(), SesError>> {
        unreachable!("a feed changes nothing")
    }

    fn put_mail_from<'a>(&'a self, _: &'a Name, _: Option<&'a NewMailFrom>) -> BoxFuture<'a, Result<(), SesError>> {
        unreachable!("a feed changes nothing")
    }

    fn send<'a>(&'a self, _: &'a OutgoingMail) -> BoxFuture<'a, Result<String, SesError>> {
        unreachable!("a feed sends nothing")
    }

    fn metrics<'a>(&'a self, _: &'a [MetricQuery]) -> BoxFuture<'a, Result<Vec<MetricAnswer>, SesError>> {
        unreachable!("a feed counts nothing")
    }
}

/// A store with these domains, and an SES beside it.
async fn scene(names: &[&str]) -> (tempfile::TempDir, Arc<dyn Store>, Arc<Fake>) {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::store::open(&format!("sqlite:{}", folder.path().join("fleet.db").display())).await.unwrap();
    let domains: Vec<NewDomain> = names
        .iter()
        .map(|name| NewDomain {
            tenant: None,
            name: Name::parse(name).unwrap(),
            asked: Facts { domain: (*name).to_owned(), ..Facts::default() },
            operator_shard: 0,
            due_at: None,
        })
        .collect();
    store.add_domains(&domains, IfKnown::Keep, store.now().await.unwrap()).await.unwrap();
    (folder, store, Arc::new(Fake::default()))
}

/// Prepares a feed.
fn feed(store: &Arc<dyn Store>, fake: &Arc<Fake>, creates: bool) -> Feed {
    Feed::new(Arc::clone(store), Arc::clone(fake) as Arc<dyn Identities>, creates)
}

/// Returns what is kept of a domain.
async fn kept(store: &Arc<dyn Store>, name: &str) -> (Option<Sighting>, Option<Timestamp>) {
    let domain = store.domains_named(&[Name::parse(name).unwrap()]).await.unwrap().remove(0);
    (Sighting::read(domain.identity.as_ref()), domain.due_at)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_new_is_kept_and_makes_a_domain_due_and_what_is_not_costs_no_call() {
    let (_folder, store, fake) = scene(&["a.example.com", "b.example.com"]).await;
    fake.say("a.example.com", SesStatus::Pending, false);
    let feed = feed(&store, &fake, false);
    let first = feed.pass().await.unwrap();
    assert_eq!((first.domains, first.changed, first.created), (2, 2, 0));
    assert_eq!(fake.take_calls(), ["list", "get a.example.com"]);
    let (seen, due_at) = kept(&store, "a.example.com").await;
    assert_eq!(seen.unwrap().identity.unwrap().dkim_status, SesStatus::Pending);
    assert!(due_at.is_some());
    assert_eq!(kept(&store, "b.example.com").await.0.unwrap().identity, None);
    let second = feed.pass().await.unwrap();
    assert_eq!((second.changed, fake.take_calls()), (0, vec!["list".to_owned()]));
    fake.say("a.example.com", SesStatus::Success, true);
    assert_eq!(feed.pass().await.unwrap().changed, 1);
    assert!(kept(&store, "a.example.com").await.0.unwrap().identity.unwrap().sending);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_ses_cannot_be_asked_what_is_known_stays() {
    let (_folder, store, fake) = scene(&["a.example.com"]).await;
    fake.say("a.example.com", SesStatus::Success, true);
    let feed = feed(&store, &fake, false);
    feed.pass().await.unwrap();
    let before = kept(&store, "a.example.com").await;
    for error in [SesError::Throttled, SesError::Unavailable("down".to_owned()), SesError::Malformed("cut".to_owned())]
    {
        fake.say("a.example.com", SesStatus::Failed, false);
        *fake.error.lock().unwrap() = Some(error.clone());
        assert_eq!(feed.pass().await.unwrap().trouble, Some(error));
        assert_eq!(kept(&store, "a.example.com").await, before);
    }
    *fake.error.lock().unwrap() = None;
    assert_eq!(feed.pass().await.unwrap().changed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ses_that_has_lost_most_identities_is_not_believed() {
    let names: Vec<String> = (0..10).map(|number| format!("d{number}.example.com")).collect();
    let (_folder, store, fake) = scene(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for name in &names {
        fake.say(name, SesStatus::Success, true);
    }
    let feed = feed(&store, &fake, true);
    feed.pass().await.unwrap();
    let all = std::mem::take(&mut *fake.has.lock().unwrap());
    fake.take_calls();
    let pass = feed.pass().await.unwrap();
    assert!(pass.trouble.is_some() && pass.changed == 0, "{pass:?}");
    assert_eq!(fake.take_calls(), ["list"]);
    // One that is gone is gone.
    let kept_names = all.into_iter().filter(|(name, _)| name.to_text_without_dot() != "d3.example.com");
    *fake.has.lock().unwrap() = kept_names.collect();
    assert_eq!(feed.pass().await.unwrap().changed, 1);
    assert_eq!(kept(&store, "d3.example.com").await.0.unwrap().identity, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_identity_is_created_once_even_where_the_answer_is_lost() {
    let (_folder, store, fake) = scene(&["a.example.com"]).await;
    let feed = feed(&store, &fake, true);
    *fake.loses_answers.lock().unwrap() = true;
    assert_eq!(feed.pass().await.unwrap().created, 0);
    assert_eq!(fake.take_calls(), ["list", "create a.example.com"]);
    // As a listing that lags behind: the identity is there, and is not listed yet.
    let identity = fake.has.lock().unwrap().remove(&Name::parse("a.example.com").unwrap()).unwrap();
    let listing = Listing { pages: 1, ..list(fake.as_ref()).await.unwrap() };
    fake.has.lock().unwrap().insert(identity.name.clone(), identity);
    let page = store.page(&DomainFilter::default(), None, 10).await.unwrap();
    fake.take_calls();
    feed.take_page(&listing, page, store.now().await.unwrap(), &mut Pass::default()).await.unwrap();
    assert_eq!(fake.take_calls(), ["get a.example.com"], "no second creation");
    assert!(kept(&store, "a.example.com").await.0.unwrap().identity.is_some());
    // Deleted by hand: nobody makes it again behind its owner's back.
    fake.has.lock().unwrap().clear();
    *fake.loses_answers.lock().unwrap() = false;
    for _ in 0..3 {
        feed.pass().await.unwrap();
    }
    assert!(!fake.take_calls().iter().any(|call| call.starts_with("create")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_feeds_at_once_create_one_identity() {
    let names: Vec<String> = (0..20).map(|number| format!("d{number}.example.com")).collect();
    let (_folder, store, fake) = scene(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (one, two) = (feed(&store, &fake, true), feed(&store, &fake, true));
    let (one, two) = tokio::join!(one.pass(), two.pass());
    assert_eq!(one.unwrap().created + two.unwrap().created, 20);
    let creations = fake.take_calls().into_iter().filter(|call| call.starts_with("create")).count();
    assert_eq!(creations, 20);
}
