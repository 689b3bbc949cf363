//! What stands around a policy record: one in a wrong place, a wildcard in its place, and who agreed to get its reports.
//!
//! Reads TXT records through a function of its caller's, which gives `None` where nothing is known of a name yet.

use std::collections::BTreeSet;

use crate::dns::name::Name;
use crate::dns::public_suffix::registrable_name;
use crate::findings::catalogue::Code;
use crate::findings::dmarc::told::{Told, about, shown};
use crate::findings::finding::{Argument, Subject};
use crate::records::dmarc::{DmarcRecord, authorisation_name, is_dmarc};

/// The most hosts of report addresses that are asked whether they take reports; ours, so that a long list stays cheap.
const MAX_REPORT_HOSTS: usize = 8;

/// Reads the joined TXT records at a name; empty where there are none, `None` where that is not known.
pub(super) type Read<'r> = dyn FnMut(&Name) -> Option<Vec<Vec<u8>>> + 'r;

/// The domain whose policy is looked at.
pub(super) struct Around<'a> {
    /// The domain.
    pub(super) domain: &'a Name,
    /// Where its policy belongs: `_dmarc` below it.
    pub(super) place: &'a Name,
    /// The zone that it lies in.
    pub(super) zone: Option<Name>,
    /// A label that nobody chose.
    pub(super) probe_label: &'a str,
    /// What findings are about.
    pub(super) subject: Subject,
}

impl Around<'_> {
    /// Looks for a policy record where people put it by mistake: at the domain itself, without the underscore, and with
    /// the zone's name twice. What a wildcard makes up is no record.
    pub(super) fn wrong_place(&self, read: &mut Read<'_>) -> Option<Told> {
        let doubled = self.zone.as_ref().and_then(|zone| self.place.concat(zone).ok());
        let slipped = self.domain.prepend("dmarc").ok();
        // All three are looked up before any is judged, so that they are asked at the same time.
        let read_all: Vec<(Name, Option<Vec<Vec<u8>>>)> = [Some(self.domain.clone()), slipped, doubled]
            .into_iter()
            .flatten()
            .map(|name| (name.clone(), read(&name)))
            .collect();
        for (name, texts) in read_all {
            let Some(text) = texts.as_deref().unwrap_or_default().iter().find(|text| is_dmarc(text)) else { continue };
            if name != *self.domain {
                let sibling = name.parent().and_then(|parent| parent.prepend(self.probe_label).ok());
                let beside = sibling.and_then(|sibling| read(&sibling))?;
                if beside.contains(text) {
                    continue;
                }
            }
            let finding = about(Code::DmarcWrongPlace, &self.subject, self.place)
                .with("typed", Argument::Name(name.clone()))
                .with("record", shown(text));
            return Some(Told { finding, read_at: vec![name] });
        }
        None
    }

    /// Tells that a wildcard gives the texts at the policy's place: a name beside it that nobody chose has the same.
    pub(super) fn wildcard(&self, own: &[Vec<u8>], read: &mut Read<'_>) -> Option<Told> {
        let text = own.iter().find(|text| is_dmarc(text)).or(own.first())?;
        let sibling = self.domain.prepend(self.probe_label).ok()?;
        if read(&sibling)? != own {
            return None;
        }
        let finding = about(Code::DmarcWildcard, &self.subject, self.place)
            .with("wildcard", Argument::Text(format!("*.{}", self.domain.to_text_without_dot())))
            .with("record", shown(text));
        Some(Told { finding, read_at: vec![self.place.clone(), sibling] })
    }

    /// Tells which hosts of other organizations did not agree to get reports about the domain (RFC 9990 §4).
    ///
    /// Hosts of the same organization need not agree, be it one by the tree walk or by the list of public suffixes.
    pub(super) fn unauthorised(
        &self,
        record: &DmarcRecord,
        organization: Option<&Name>,
        read: &mut Read<'_>,
    ) -> Vec<Told> {
        let is_own = |host: &Name| {
            let by_list = registrable_name(self.domain).unwrap_or_else(|| self.domain.clone());
            host.is_subdomain_of(&by_list)
                || host.is_subdomain_of(self.domain)
                || organization.is_some_and(|above| above.label_count() > 1 && host.is_subdomain_of(above))
        };
        let addresses = record.aggregate_reports.iter().chain(&record.failure_reports);
        let hosts: BTreeSet<Name> = addresses
            .filter(|address| address.is_mail())
            .filter_map(|address| address.host())
            .filter(|host| !is_own(host))
            .collect();
        let asked: Vec<(Name, Name)> = hosts
            .into_iter()
            .take(MAX_REPORT_HOSTS)
            .filter_map(|host| Some((authorisation_name(self.domain, &host).ok()?, host)))
            .collect();
        let mut told = Vec::new();
        for (asked, host) in asked {
            if read(&asked).is_some_and(|texts| !texts.iter().any(|text| is_dmarc(text))) {
                let finding = about(Code::DmarcRuaUnauthorised, &self.subject, self.place)
                    .with("host", Argument::Name(host))
                    .with("authorisation", Argument::Name(asked.clone()));
                told.push(Told { finding, read_at: vec![asked] });
            }
        }
        told
    }
}
