//! What a name stands for: learned from the DS records that the zone above has of it, and the keys that these vouch for.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::dns::name::Name;
use crate::dns::response::{Negative, Response};
use crate::dns::rrset::{Question, RecordType, Ttl};
use crate::dnssec::keys::{accept_keys, usable_signers};
use crate::dnssec::record::DelegationSigner;
use crate::dnssec::signed_set::SignedSet;
use crate::dnssec::{Bogus, Security};
use crate::walk::lookup::{LookupFailure, failure_of};
use crate::walk::machine::Until;
use crate::walk::trust::{Refused, Standing, Validator, ask_on};
use crate::walk::{Found, Journey};

/// What the zone above says of a name.
enum Delegated {
    /// These vouch for its keys, for so long; never empty.
    To(Vec<DelegationSigner>, Ttl),
    /// No keys have to be asked for to know how it stands.
    Not(Standing, Option<Ttl>),
}

impl Validator<'_> {
    /// Learns what a name stands for. What could not be learned is not tried again in this lookup.
    pub(super) fn standing<'b>(&'b mut self, name: &'b Name) -> BoxFuture<'b, Result<Standing, LookupFailure>> {
        async move {
            if let Some(known) = self.trust.recall(name) {
                return Ok(known);
            }
            if let Some(failure) = self.failed.get(name) {
                return Err(*failure);
            }
            let learned = if name.is_root() {
                let anchors = self.trust.anchors.clone();
                self.keys_of(name, &anchors).await
            } else {
                self.standing_by_parent(name).await
            };
            match learned {
                Ok((standing, ttl)) => {
                    self.trust.keep(name, &standing, ttl);
                    Ok(standing)
                }
                Err(failure) => {
                    self.failed.insert(name.clone(), failure);
                    Err(failure)
                }
            }
        }
        .boxed()
    }

    /// Asks the zone above for DS records.
    async fn standing_by_parent(&mut self, name: &Name) -> Result<(Standing, Option<Ttl>), LookupFailure> {
        let question = Question::new(name.clone(), RecordType::DS);
        let mut before = None;
        let delegated = loop {
            let found = self.ask(&question, before).await;
            let read = self.read_signers(&question, &found).await;
            match ask_on(before, &found, read) {
                Ok(delegated) => break delegated?,
                Err(refused) => before = Some(refused),
            }
        };
        match delegated {
            Delegated::To(signers, ttl) => {
                let (standing, ttl_of_keys) = self.keys_of(name, &signers).await?;
                Ok((standing, ttl_of_keys.map(|of_keys| of_keys.min(ttl))))
            }
            Delegated::Not(standing, ttl) => Ok((standing, ttl)),
        }
    }

    /// Reads what was said of DS records.
    async fn read_signers(&mut self, question: &Question, found: &Found) -> Result<Delegated, LookupFailure> {
        let response = found.seen.last().and_then(|(_, seen)| seen.response());
        let (Some(response), Some(message)) = (response, &found.message) else { return Err(failure_of(found)) };
        match response {
            Response::Answer(answer) => {
                let security = self.prove_set(&question.name, RecordType::DS, message).await?;
                let signers = usable_signers(answer.rrset.data());
                if security == Security::Insecure || signers.is_empty() {
                    return Ok(Delegated::Not(Standing::Unsigned, Some(answer.rrset.ttl)));
                }
                Ok(Delegated::To(signers, answer.rrset.ttl))
            }
            Response::NoData(negative) | Response::NxDomain(negative) => {
                let denied = self.denied(question, &message.authority).await?;
                let is_unsigned =
                    denied.is_none_or(|denied| denied.is_unsigned_cut || denied.security == Security::Insecure);
                let standing = if is_unsigned { Standing::Unsigned } else { Standing::NoCut };
                Ok(Delegated::Not(standing, Negative::ttl(negative)))
            }
            // Where an alias stands there is no cut. That it is one is not proven, nor does it excuse anything.
            Response::Alias(_) => Ok(Delegated::Not(Standing::NoCut, None)),
            Response::Referral(_) | Response::Lame(_) | Response::Failed(_) => Err(failure_of(found)),
        }
    }

    /// Asks a zone for its keys and accepts them where one that is vouched for signs them.
    async fn keys_of(
        &mut self,
        zone: &Name,
        signers: &[DelegationSigner],
    ) -> Result<(Standing, Option<Ttl>), LookupFailure> {
        let question = Question::new(zone.clone(), RecordType::DNSKEY);
        let mut before = None;
        loop {
            let found = self.ask(&question, before).await;
            let read = self.read_keys(zone, signers, &found);
            match ask_on(before, &found, read) {
                Ok(keys) => return keys,
                Err(refused) => before = Some(refused),
            }
        }
    }

    /// Reads what was said of a zone's keys.
    fn read_keys(
        &mut self,
        zone: &Name,
        signers: &[DelegationSigner],
        found: &Found,
    ) -> Result<(Standing, Option<Ttl>), LookupFailure> {
        let response = found.seen.last().and_then(|(_, seen)| seen.response());
        match (response, &found.message) {
            (Some(Response::Answer(answer)), Some(message)) => {
                let set = SignedSet::collect(zone, RecordType::DNSKEY, &message.answers);
                let set = set.ok_or(Bogus::NoMatchingKey)?;
                let keys = accept_keys(&set, signers, self.now, &mut self.work)?;
                Ok((Standing::Zone(Arc::new(keys)), Some(answer.rrset.ttl)))
            }
            (Some(Response::NoData(_) | Response::NxDomain(_) | Response::Alias(_)), _) => {
                Err(Bogus::NoMatchingKey.into())
            }
            _ => Err(failure_of(found)),
        }
    }

    /// Asks a question, of another server than the one whose reply did not hold before.
    async fn ask(&self, question: &Question, before: Option<Refused>) -> Found {
        let journey = Journey { avoid: before.map(|refused| refused.address), ..self.journey };
        self.walker.walk(question.clone(), Until::Answer, journey).await
    }
}
