//! Where a name's records are kept: its real zone, who serves that, and what the panel wants typed.

use crate::dns::name::Name;
use crate::dns::public_suffix::{is_registry, registrable_name};
use crate::dns::rdata::{Rdata, Soa};
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RecordType};
use crate::evidence::{Evidence, ZoneCut};
use crate::findings::health::DOMAIN_CONNECT;
use crate::providers::{Detection, HostField, Provider, ValueDot, detect};
use crate::remedy::words::{plural, quoted, shown};
use crate::remedy::{Action, Step};

/// The most providers of one zone for each of which the steps are told.
const MAX_PROVIDERS_TOLD: usize = 3;

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

    /// Takes another provider's word for the place.
    pub(super) fn held_by(self, provider: &'static Provider) -> Self {
        Self { detection: Detection::Likely(provider), ..self }
    }

    /// Says whether anything is known of who serves the zone.
    pub(super) fn is_known(&self) -> bool {
        !matches!(&self.detection, Detection::Unknown(servers) if servers.is_empty())
    }

    /// Returns every panel that has to be told, with the name of its provider; never empty.
    pub(super) fn panels(&self) -> Vec<(String, &'static Provider)> {
        let Detection::Mixed(shares) = &self.detection else { return vec![(self.who(), self.panel())] };
        let told = shares.iter().map(|share| match share.provider {
            Some(provider) => (share.to_string(), provider),
            None => (format!("the provider of {share}"), self.panel()),
        });
        told.collect()
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

    /// Returns what the panel calls the host field.
    pub(super) fn host_field(&self) -> &'static str {
        host_field_of(self.panel())
    }

    /// Tells the steps as sentences, in the panel's words; where several providers serve the zone, once for each.
    pub(super) fn tell(&self, steps: &[Step]) -> String {
        let providers = match &self.detection {
            _ if steps.is_empty() => return String::new(),
            Detection::Mixed(shares) if shares.len() <= MAX_PROVIDERS_TOLD => shares.len(),
            _ => return self.hand(self.panel()).tell(&self.who(), steps),
        };
        let mut sentences = vec![format!(
            "{} is served by {} providers at the same time, and each of them needs the change.",
            shown(&self.zone),
            count_word(providers)
        )];
        for (who, panel) in self.panels() {
            let hand = self.hand(panel);
            let steps: Vec<Step> = steps.iter().map(|step| hand.respell(step)).collect();
            sentences.push(hand.tell(&who, &steps));
        }
        sentences.join(" ")
    }

    /// Says how long a change usually takes until the provider's servers have it; of several providers the slowest
    /// counts. Nothing where nothing is put in, or it is not known.
    pub(super) fn usual_time_of(&self, steps: &[Step]) -> Option<String> {
        let brings = steps.iter().any(|step| matches!(step.action, Action::Add | Action::Change));
        let panels = self.panels();
        let seconds: Option<Vec<u32>> = panels.iter().map(|(_, panel)| panel.publish_seconds).collect();
        seconds.filter(|_| brings)?.into_iter().max().map(usual_time)
    }

    /// Takes one panel's words for this zone.
    fn hand<'a>(&'a self, panel: &'static Provider) -> Hand<'a> {
        Hand { panel, zone: &self.zone }
    }
}

/// One panel's words for one zone.
struct Hand<'a> {
    /// The panel.
    panel: &'static Provider,
    /// The zone.
    zone: &'a Name,
}

impl Hand<'_> {
    /// Tells steps as one sentence.
    fn tell(&self, who: &str, steps: &[Step]) -> String {
        let told: Vec<String> = steps.iter().map(|step| self.tell_step(step)).collect();
        let is_kept = steps.last().is_some_and(|step| step.action == Action::Keep);
        let link = if is_kept { "and" } else { "then" };
        match told.split_last() {
            Some((last, [])) => format!("At {who}, {last}."),
            Some((last, rest)) => format!("At {who}, {}, {link} {last}.", rest.join(", ")),
            None => String::new(),
        }
    }

    /// Writes a step as this panel wants it that was written for a panel that nobody knows.
    fn respell(&self, step: &Step) -> Step {
        let host = match (self.panel.host, step.host.as_str()) {
            (HostField::Full, "@") => shown(self.zone),
            (HostField::Full, host) => format!("{host}.{}", shown(self.zone)),
            (HostField::Relative | HostField::FullOk, host) => host.to_owned(),
        };
        let is_name = step.record_type != "TXT";
        let value = step.value.as_ref().map(|value| match (self.panel.value_dot, value.strip_suffix('.')) {
            (ValueDot::Needed, None) if is_name => format!("{value}."),
            (ValueDot::None, Some(bare)) if is_name && !bare.ends_with('\\') => bare.to_owned(),
            _ => value.clone(),
        });
        Step { host, value, ..step.clone() }
    }

    /// Returns what the panel calls the value field of a record of this type.
    fn value_field(&self, record_type: &str) -> &'static str {
        let of_cname = self.panel.value_field.as_deref().filter(|_| record_type == "CNAME");
        of_cname.unwrap_or("Value")
    }

    /// Tells one step.
    fn tell_step(&self, step: &Step) -> String {
        let Step { action, host, record_type, value } = step;
        let host = format!("{} {}", host_field_of(self.panel), quoted(host));
        let field = self.value_field(record_type);
        let value = value.as_deref().map(|value| self.tell_value(record_type, value));
        let menu = || self.panel.menu_for(self.zone);
        // As it is spoken: an MX, an A, an NS; a CNAME, a TXT.
        let article = if record_type.starts_with(['A', 'M', 'N']) { "an" } else { "a" };
        match (action, value) {
            (Action::Delete, None) => format!("delete the {record_type} record with {host}"),
            (Action::Delete, Some(value)) => format!("delete the {record_type} record with {host} and {field} {value}"),
            (Action::Add, None) => format!("add {article} {record_type} record ({}): {host}", menu()),
            (Action::Add, Some(value)) => {
                let hint = self.hint(record_type, step.value.as_deref());
                format!("add {article} {record_type} record ({}): {host}, {field} {value} ({hint})", menu())
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
        let is_usual = has_dot == (self.panel.value_dot == ValueDot::Needed);
        match self.panel.dot_hint() {
            _ if record_type == "TXT" => "without the quotation marks",
            _ if has_dot && !is_usual => ValueDot::Needed.hint(),
            known => known,
        }
    }
}

/// Returns what a panel calls the host field.
fn host_field_of(panel: &'static Provider) -> &'static str {
    panel.host_field.as_deref().unwrap_or("Host")
}

/// Says how long a provider's servers usually take.
pub(super) fn usual_time(seconds: u32) -> String {
    let minutes = seconds.div_ceil(60);
    let minute = plural(usize::try_from(minutes).unwrap_or(usize::MAX), "minute", "minutes");
    format!("The change is usually seen within {minutes} {minute} at this provider's servers.")
}

/// Writes a small count as a word.
fn count_word(count: usize) -> &'static str {
    match count {
        2 => "two",
        3 => "three",
        _ => "several",
    }
}

/// Tells who serves a zone: by the servers at its parent, where these are not known by its SOA, and where that says nothing
/// either by who takes settings for it (Domain Connect).
pub(crate) fn detection_of(cut: &ZoneCut, evidence: &Evidence) -> Detection {
    let servers: Vec<Name> = cut.server_names().cloned().collect();
    let detection = detect(&servers, soa_of(&cut.zone, evidence).map(|soa| (&soa.mname, &soa.rname)));
    if !matches!(detection, Detection::Unknown(_)) {
        return detection;
    }
    takes_settings(&cut.zone, evidence).map_or(detection, Detection::Likely)
}

/// Returns the provider that an alias at `_domainconnect` below the zone leads to: its panel sets that alias up.
fn takes_settings(zone: &Name, evidence: &Evidence) -> Option<&'static Provider> {
    let question = Question::new(zone.prepend(DOMAIN_CONNECT).ok()?, RecordType::TXT);
    let seen = evidence.observations(&question);
    let mut targets = seen.iter().flat_map(|seen| match seen.response() {
        Some(Response::Alias(alias)) => alias.links.iter().map(|link| &link.target).collect(),
        _ => Vec::new(),
    });
    targets.find_map(|target| detect(std::slice::from_ref(target), None).provider())
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
