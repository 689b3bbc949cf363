//! Where a name's records are kept: its real zone, who serves that, and what the panel wants typed.

use crate::dns::name::Name;
use crate::dns::public_suffix::{is_registry, registrable_name};
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::response::Response;
use crate::evidence::{Evidence, ZoneCut};
use crate::providers::{Detection, Provider, ValueDot, detect};
use crate::remedy::words::{quoted, shown};
use crate::remedy::{Action, Step};

/// The zone that a name lies in, and who serves it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// The zone; where none was found, the registered domain.
    pub(super) zone: Name,
    /// Who serves it.
    detection: Detection,
}

impl Place {
    /// Finds where the records of `owner` are kept: the deepest zone that was met, never a registry's.
    pub(super) fn of(owner: &Name, evidence: &Evidence) -> Self {
        let met = || {
            let above = evidence.cuts().filter(|cut| owner.is_subdomain_of(&cut.zone));
            above.max_by_key(|cut| cut.zone.label_count())
        };
        match evidence.zone_of(owner).or_else(met).filter(|cut| !is_registry(&cut.zone)) {
            Some(cut) => Self::of_cut(cut, evidence),
            None => Self {
                zone: registrable_name(owner).unwrap_or_else(|| owner.clone()),
                detection: Detection::Unknown(Vec::new()),
            },
        }
    }

    /// Looks at a zone.
    pub(super) fn of_cut(cut: &ZoneCut, evidence: &Evidence) -> Self {
        Self { zone: cut.zone.clone(), detection: detection_of(cut, evidence) }
    }

    /// Returns the panel to describe.
    pub(super) fn panel(&self) -> &'static Provider {
        self.detection.panel()
    }

    /// Returns the provider's id, where there is one provider and it is known.
    pub(super) fn provider_id(&self) -> Option<String> {
        self.detection.provider().map(|provider| provider.id.clone())
    }

    /// Names who serves the zone, so that it can stand behind "at".
    pub(super) fn who(&self) -> String {
        match &self.detection {
            Detection::Certain(provider) | Detection::Likely(provider) => provider.name.clone(),
            Detection::Mixed(_) => format!("each of {}", self.detection),
            Detection::Unknown(servers) if servers.is_empty() => "your DNS provider".to_owned(),
            Detection::Unknown(_) => format!("the provider of {}", self.detection),
        }
    }

    /// Returns what the host field takes for `owner`.
    pub(super) fn host(&self, owner: &Name) -> String {
        self.panel().host_field_for(owner, &self.zone)
    }

    /// Returns the way to the form for a new record, with the zone's name in it.
    fn menu(&self) -> String {
        self.panel().menu.replace("your domain", &shown(&self.zone))
    }

    /// Returns what the panel calls the host field.
    pub(super) fn host_field(&self) -> &'static str {
        self.panel().host_field.as_deref().unwrap_or("Host")
    }

    /// Returns what the panel calls the value field of a record of this type.
    fn value_field(&self, record_type: &str) -> &'static str {
        let of_cname = self.panel().value_field.as_deref().filter(|_| record_type == "CNAME");
        of_cname.unwrap_or("Value")
    }

    /// Tells the steps as one sentence, in the panel's words.
    pub(super) fn tell(&self, steps: &[Step]) -> String {
        let told: Vec<String> = steps.iter().map(|step| self.tell_step(step)).collect();
        let is_kept = steps.last().is_some_and(|step| step.action == Action::Keep);
        let link = if is_kept { "and" } else { "then" };
        match told.split_last() {
            Some((last, [])) => format!("At {}, {last}.", self.who()),
            Some((last, rest)) => format!("At {}, {}, {link} {last}.", self.who(), rest.join(", ")),
            None => String::new(),
        }
    }

    /// Tells one step.
    fn tell_step(&self, step: &Step) -> String {
        let Step { action, host, record_type, value } = step;
        let host = format!("{} {}", self.host_field(), quoted(host));
        let field = self.value_field(record_type);
        let value = value.as_deref().map(|value| self.tell_value(record_type, value));
        match (action, value) {
            (Action::Delete, None) => format!("delete the {record_type} record with {host}"),
            (Action::Delete, Some(value)) => format!("delete the {record_type} record with {host} and {field} {value}"),
            (Action::Add, None) => format!("add a {record_type} record ({}): {host}", self.menu()),
            (Action::Add, Some(value)) => {
                let hint = self.hint(record_type, step.value.as_deref());
                format!("add a {record_type} record ({}): {host}, {field} {value} ({hint})", self.menu())
            }
            (Action::Change, None) => format!("change the {record_type} record with {host}"),
            (Action::Change, Some(value)) => {
                let hint = self.hint(record_type, step.value.as_deref());
                format!("in the {record_type} record with {host}, set {field} to {value} ({hint})")
            }
            (Action::Keep, None) => format!("keep the {record_type} record with {host}"),
            (Action::Keep, Some(value)) => format!("keep the {record_type} record with {host} and {field} {value}"),
        }
    }

    /// Shows a value so that its ends can be seen: text stands in quotation marks.
    fn tell_value(&self, record_type: &str, value: &str) -> String {
        if record_type == "TXT" { format!("\"{}\"", quoted(value)) } else { quoted(value) }
    }

    /// Returns the words that go with a value to be typed.
    fn hint(&self, record_type: &str, value: Option<&str>) -> &'static str {
        let has_dot = value.is_some_and(|value| value.ends_with('.'));
        match self.panel().value_dot {
            _ if record_type == "TXT" => "without the quotation marks",
            _ if has_dot => ValueDot::Needed.hint(),
            known => known.hint(),
        }
    }
}

/// Tells who serves a zone, by the servers at its parent, and by its SOA where these are not known.
pub(crate) fn detection_of(cut: &ZoneCut, evidence: &Evidence) -> Detection {
    let servers: Vec<Name> = cut.server_names().cloned().collect();
    detect(&servers, soa_of(&cut.zone, evidence).map(|soa| (&soa.mname, &soa.rname)))
}

/// Finds the SOA record of a zone in what was seen.
fn soa_of<'a>(zone: &Name, evidence: &'a Evidence) -> Option<&'a Soa> {
    evidence.all_observations().find_map(|(_, seen)| match seen.response()? {
        Response::NoData(negative) | Response::NxDomain(negative) => {
            negative.soa.as_ref().filter(|(owner, ..)| owner == zone).map(|(_, soa, _)| soa)
        }
        Response::Answer(answer) if answer.rrset.owner == *zone => {
            answer.rrset.data().iter().find_map(|data| match data {
                Rdata::Soa(soa) => Some(soa),
                _ => None,
            })
        }
        _ => None,
    })
}
