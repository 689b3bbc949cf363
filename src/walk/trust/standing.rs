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
use crate::walk::trust::{Standing, Validator};

impl Validator<'_> {
    /// Learns what a name stands for.
    pub(super) fn standing<'b>(&'b mut self, name: &'b Name) -> BoxFuture<'b, Result<Standing, LookupFailure>> {
        async move {
            if let Some(known) = self.trust.recall(name) {
                return Ok(known);
            }
            let (standing, ttl) = if name.is_root() {
                let anchors = self.trust.anchors.clone();
                self.keys_of(name, &anchors).await?
            } else {
                self.standing_by_parent(name).await?
            };
            self.trust.keep(name, &standing, ttl);
            Ok(standing)
        }
        .boxed()
    }

    /// Asks the zone above for DS records.
    async fn standing_by_parent(&mut self, name: &Name) -> Result<(Standing, Option<Ttl>), LookupFailure> {
        let question = Question::new(name.clone(), RecordType::DS);
        let found = self.walker.walk(question.clone(), Until::Answer, self.journey).await;
        let response = found.seen.last().and_then(|(_, seen)| seen.response());
        let (Some(response), Some(message)) = (response, &found.message) else { return Err(failure_of(&found)) };
        match response {
            Response::Answer(answer) => {
                if self.prove_set(name, RecordType::DS, message).await? == Security::Insecure {
                    return Ok((Standing::Unsigned, Some(answer.rrset.ttl)));
                }
                let signers = usable_signers(answer.rrset.data());
                if signers.is_empty() {
                    return Ok((Standing::Unsigned, Some(answer.rrset.ttl)));
                }
                let (standing, ttl) = self.keys_of(name, &signers).await?;
                Ok((standing, ttl.map(|ttl| ttl.min(answer.rrset.ttl))))
            }
            Response::NoData(negative) | Response::NxDomain(negative) => {
                let denied = self.denied(&question, &message.authority).await?;
                let is_unsigned =
                    denied.is_none_or(|denied| denied.is_unsigned_cut || denied.security == Security::Insecure);
                let standing = if is_unsigned { Standing::Unsigned } else { Standing::NoCut };
                Ok((standing, Negative::ttl(negative)))
            }
            // Where an alias stands there is no cut. That it is one is not proven, nor does it excuse anything.
            Response::Alias(_) => Ok((Standing::NoCut, None)),
            Response::Referral(_) | Response::Lame(_) | Response::Failed(_) => Err(failure_of(&found)),
        }
    }

    /// Asks a zone for its keys and accepts them where one that is vouched for signs them.
    async fn keys_of(
        &mut self,
        zone: &Name,
        signers: &[DelegationSigner],
    ) -> Result<(Standing, Option<Ttl>), LookupFailure> {
        let question = Question::new(zone.clone(), RecordType::DNSKEY);
        let found = self.walker.walk(question, Until::Answer, self.journey).await;
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
            _ => Err(failure_of(&found)),
        }
    }
}
