//! Which DNS provider serves a zone, and how that provider's panel wants a record typed.
//!
//! Reads the names of the zone's name servers and its SOA; knows the table in `providers.toml`.
//! Never says who the registrar is, and never asks the network.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::sync::{LazyLock, OnceLock};

use quick_cache::sync::Cache;
use serde::Deserialize;

use self::pattern::Pattern;
use crate::dns::name::Name;
use crate::dns::network::Network;

mod pattern;

/// The most name servers that a description names one by one.
const MAX_SERVERS_NAMED: usize = 4;

/// Of how many name servers is remembered what their names tell; some 100 octets each.
const SERVERS_REMEMBERED: usize = 4096;

/// The table, read once. A test proves that it parses; were it not to, every provider would be unknown.
static CATALOGUE: LazyLock<Providers> =
    LazyLock::new(|| toml::from_str(include_str!("providers.toml")).unwrap_or_default());

/// What is known of the name servers that were asked for of late: few servers have most of the zones.
static SERVERS: LazyLock<Cache<Name, Server>> = LazyLock::new(|| Cache::new(SERVERS_REMEMBERED));

/// What the name of a name server tells.
#[derive(Clone, Copy)]
struct Server {
    /// The provider that it belongs to.
    provider: Option<&'static Provider>,
    /// Whether it is one of those where expired domains and domains for sale are put.
    is_parking: bool,
}

/// Returns the table of providers.
#[must_use]
pub fn catalogue() -> &'static Providers {
    &CATALOGUE
}

/// Returns what the name of a name server tells.
fn server_of(name: &Name) -> Server {
    let look = || {
        let labels: Vec<&[u8]> = name.labels().rev().collect();
        let is_parking = catalogue().parking.iter().any(|pattern| pattern.matches(&labels));
        Ok::<_, Infallible>(Server { provider: catalogue().by_server(name), is_parking })
    };
    let Ok(server) = SERVERS.get_or_insert_with(name, look);
    server
}

/// Tells the provider from the names of the name servers, those at the parent for choice.
///
/// `soa` is the MNAME and the RNAME; they count only where no name server is known, as is so with
/// vanity names. The order and the case of the names do not matter.
#[must_use]
pub fn detect(ns_names: &[Name], soa: Option<(&Name, &Name)>) -> Detection {
    // Most zones are served by one provider alone.
    let provider = ns_names.first().and_then(|first| server_of(first).provider);
    if let Some(provider) = provider.filter(|one| ns_names.iter().all(|name| server_of(name).provider == Some(one))) {
        return Detection::Certain(provider);
    }
    let mut shares: Vec<Share> = Vec::new();
    for server in ns_names.iter().collect::<BTreeSet<_>>() {
        let provider = server_of(server).provider;
        match shares.iter_mut().find(|share| share.provider == provider) {
            Some(share) => share.servers.push(server.clone()),
            None => shares.push(Share { provider, servers: vec![server.clone()] }),
        }
    }
    match shares.as_slice() {
        [] | [Share { provider: None, .. }] => match soa.and_then(|(mname, rname)| catalogue().by_soa(mname, rname)) {
            Some(provider) => Detection::Likely(provider),
            None => Detection::Unknown(shares.into_iter().flat_map(|share| share.servers).collect()),
        },
        [Share { provider: Some(provider), .. }] => Detection::Certain(provider),
        _ => Detection::Mixed(shares),
    }
}

/// Says whether a name server is one of a large anycast provider's, which bear the larger pace.
#[must_use]
pub fn is_anycast_shared(ns_name: &Name) -> bool {
    server_of(ns_name).provider.is_some_and(|provider| provider.anycast_shared)
}

/// Says whether a name server is one of those where expired domains and domains for sale are put.
#[must_use]
pub fn is_parking(ns_name: &Name) -> bool {
    server_of(ns_name).is_parking
}

/// Returns servers that are the same for all zones of a large provider, one of each; providers of `own`, the name
/// servers of a zone, are left out.
#[must_use]
pub fn probe_servers(own: &[Name]) -> Vec<Name> {
    let own: Vec<&str> = own.iter().filter_map(|name| Some(catalogue().by_server(name)?.id.as_str())).collect();
    let others = catalogue().iter().filter(|each| each.anycast_shared && !own.contains(&each.id.as_str()));
    others.filter_map(|provider| provider.probe_servers.first().cloned()).collect()
}

/// Says whether an address is one that Cloudflare's proxied names answer with.
///
/// `ranges` are the caller's own, in place of the ones that the table has. Customers who bring their own addresses are
/// seen only where the caller's ranges hold these.
#[must_use]
pub fn is_cloudflare_proxy(address: IpAddr, ranges: Option<&[Network]>) -> bool {
    let known = || catalogue().get("cloudflare").map(|provider| provider.proxy_ranges.as_slice());
    ranges.or_else(known).unwrap_or_default().iter().any(|range| range.contains(address))
}

/// Who serves a zone.
#[derive(Clone, Debug, PartialEq)]
pub enum Detection {
    /// Every name server is of this provider.
    Certain(&'static Provider),
    /// No name server is known, but the SOA is this provider's.
    Likely(&'static Provider),
    /// Several providers serve the zone, unknown ones perhaps among them; a record has to be at each.
    /// At least two shares, in the order of their first server.
    Mixed(Vec<Share>),
    /// Nothing is known of these name servers, in canonical order.
    Unknown(Vec<Name>),
}

/// What one provider has of a zone's name servers.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The provider; `None` for all servers that are not known.
    pub provider: Option<&'static Provider>,
    /// Its name servers, at least one, in canonical order.
    pub servers: Vec<Name>,
}

impl Detection {
    /// Returns the provider where there is just one.
    #[must_use]
    pub fn provider(&self) -> Option<&'static Provider> {
        match self {
            Self::Certain(provider) | Self::Likely(provider) => Some(provider),
            Self::Mixed(_) | Self::Unknown(_) => None,
        }
    }

    /// Returns whose panel to describe: the one provider's, or one as most are.
    #[must_use]
    pub fn panel(&self) -> &'static Provider {
        self.provider().unwrap_or(&catalogue().unknown)
    }
}

impl fmt::Display for Detection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certain(provider) | Self::Likely(provider) => formatter.write_str(&provider.name),
            Self::Mixed(shares) => {
                let shares: Vec<String> = shares.iter().map(Share::to_string).collect();
                formatter.write_str(&shares.join(" and "))
            }
            Self::Unknown(servers) => formatter.write_str(&describe(servers)),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.provider {
            Some(provider) => write!(formatter, "{} ({})", provider.name, list(&self.servers)),
            None => formatter.write_str(&describe(&self.servers)),
        }
    }
}

/// Names servers of whom nothing else is known.
fn describe(servers: &[Name]) -> String {
    match servers {
        [] => "an unknown provider".to_owned(),
        [server] => format!("the name server {}", server.to_text_without_dot()),
        _ => format!("the name servers {}", list(servers)),
    }
}

/// Lists the first servers by name and counts the others.
fn list(servers: &[Name]) -> String {
    let named: Vec<String> = servers.iter().take(MAX_SERVERS_NAMED).map(Name::to_text_without_dot).collect();
    match servers.len().saturating_sub(MAX_SERVERS_NAMED) {
        0 => named.join(", "),
        others => format!("{} and {others} more", named.join(", ")),
    }
}

/// The table of providers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Providers {
    /// The known ones, by the order of the table; their ids are unique.
    #[serde(rename = "provider")]
    known: Vec<Provider>,
    /// Patterns of the name servers where expired domains and domains for sale are put.
    #[serde(default)]
    parking: Vec<Pattern>,
    /// Stands for a provider that is not known: what most panels want.
    unknown: Provider,
    /// The patterns of name servers by their last two labels, made when first needed.
    #[serde(skip)]
    by_ending: OnceLock<HashMap<Vec<u8>, Vec<Place>>>,
}

/// Where a pattern of name servers stands in the table: the provider's number and its own.
type Place = (usize, usize);

impl Providers {
    /// Iterates over the known providers.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.known.iter()
    }

    /// Returns the provider with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Provider> {
        self.known.iter().find(|provider| provider.id == id)
    }

    /// Returns the provider that a name server belongs to: the one whose longest pattern matches its name.
    fn by_server(&self, server: &Name) -> Option<&Provider> {
        let mut labels: Vec<&[u8]> = Vec::with_capacity(8);
        labels.extend(server.labels().rev());
        let by_ending = self.by_ending.get_or_init(|| self.places_by_ending());
        let places = |ending: &[u8]| by_ending.get(ending).map(Vec::as_slice).unwrap_or_default();
        // Where the second label is a glob, the pattern stands under none.
        let candidates = places(&ending_of(&labels)).iter().chain(places(&[]));
        let matches = candidates.filter_map(|place| {
            let provider = self.known.get(place.0)?;
            let pattern = provider.ns.get(place.1).filter(|pattern| pattern.matches(&labels))?;
            Some((pattern.label_count(), place, provider))
        });
        let best = matches.max_by_key(|(label_count, place, _)| (*label_count, *place));
        best.map(|(_, _, provider)| provider)
    }

    /// Sorts the patterns of name servers by their last two labels.
    fn places_by_ending(&self) -> HashMap<Vec<u8>, Vec<Place>> {
        let mut places: HashMap<Vec<u8>, Vec<Place>> = HashMap::new();
        for (number, provider) in self.known.iter().enumerate() {
            for (nth, pattern) in provider.ns.iter().enumerate() {
                let ending = pattern.plain_ending().map(|labels| ending_of(&labels)).unwrap_or_default();
                places.entry(ending).or_default().push((number, nth));
            }
        }
        places
    }

    /// Returns the provider that an SOA record belongs to; its MNAME says more than its RNAME.
    fn by_soa(&self, mname: &Name, rname: &Name) -> Option<&Provider> {
        self.by_server(mname).or_else(|| self.by_pattern(rname, |provider| &provider.rname))
    }

    /// Returns the provider whose longest pattern matches `name`, of some kind of patterns.
    fn by_pattern(&self, name: &Name, patterns: impl Fn(&Provider) -> &[Pattern]) -> Option<&Provider> {
        let labels: Vec<&[u8]> = name.labels().rev().collect();
        let matches =
            self.known.iter().flat_map(|provider| patterns(provider).iter().map(move |each| (each, provider)));
        let best =
            matches.filter(|(pattern, _)| pattern.matches(&labels)).max_by_key(|(pattern, _)| pattern.label_count());
        best.map(|(_, provider)| provider)
    }
}

/// Writes the last two labels of a name, of labels with the top-level one first, as a key; empty where there are fewer.
fn ending_of(labels: &[&[u8]]) -> Vec<u8> {
    match labels {
        [top, second, ..] => [second, &b"."[..], top].concat().to_ascii_lowercase(),
        _ => Vec::new(),
    }
}

/// A DNS provider, and what its panel is like.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Stable, of lower-case letters, digits and `_`.
    pub id: String,
    /// As people know it; names both where two cannot be told apart.
    pub name: String,
    /// Patterns of its name servers, and of the MNAME of its SOA records.
    #[serde(default)]
    ns: Vec<Pattern>,
    /// Patterns of the RNAME of its SOA records.
    #[serde(default)]
    rname: Vec<Pattern>,
    /// Whether what stands here of fields, dot and menu is hearsay rather than what the provider itself says or does.
    #[serde(default, rename = "unverified")]
    pub is_unverified: bool,
    /// What the host field takes.
    pub host: HostField,
    /// What the value field takes.
    pub value_dot: ValueDot,
    /// The way to the form for a new record.
    pub menu: String,
    /// What the panel calls the host field, where known.
    pub host_field: Option<String>,
    /// What the panel calls the value field of a CNAME, where known.
    pub value_field: Option<String>,
    /// Seconds until its name servers have a new record, as ACME clients wait, where known.
    pub publish_seconds: Option<u32>,
    /// Its name servers are anycast and shared by very many zones.
    #[serde(default)]
    pub anycast_shared: bool,
    /// Name servers that serve all zones of its customers, whichever these are delegated to; only where that is certain.
    #[serde(default, deserialize_with = "names")]
    pub probe_servers: Vec<Name>,
    /// What its proxied names answer with.
    #[serde(default)]
    proxy_ranges: Vec<Network>,
    /// One sentence for the finding with that code at this provider.
    #[serde(default)]
    pub gotchas: BTreeMap<String, String>,
}

/// Reads a list of names.
fn names<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Name>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    texts.iter().map(|text| Name::parse(text).map_err(serde::de::Error::custom)).collect()
}

impl PartialEq for Provider {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Provider {
    /// Returns what to type as the host of `owner`, a name in the zone whose apex is `zone_cut`.
    ///
    /// Relative to the real zone cut, `@` at the apex; the full name without a dot where the panel
    /// wants that, and where `owner` is not in the zone.
    #[must_use]
    pub fn host_field_for(&self, owner: &Name, zone_cut: &Name) -> String {
        match (self.host, owner.relative_to(zone_cut)) {
            (HostField::Full, _) | (_, None) => owner.to_text_without_dot(),
            (_, Some(relative)) if relative.is_empty() => "@".to_owned(),
            (_, Some(relative)) => relative,
        }
    }

    /// Returns what to type as the value that names `target`, with a final dot only where it is needed.
    #[must_use]
    pub fn value_for(&self, target: &Name) -> String {
        match self.value_dot {
            ValueDot::Needed => target.to_string(),
            ValueDot::None | ValueDot::Optional | ValueDot::Unknown => target.to_text_without_dot(),
        }
    }

    /// Returns the words that go with the value: what the panel makes of a final dot, and how sure that is.
    #[must_use]
    pub fn dot_hint(&self) -> &'static str {
        match self.value_dot {
            ValueDot::Needed if self.is_unverified => ValueDot::PROBABLY_NEEDED,
            ValueDot::None | ValueDot::Optional if self.is_unverified => ValueDot::Unknown.hint(),
            known => known.hint(),
        }
    }

    /// Returns the way to the form for a new record, with the zone's name in it; says so where it is hearsay.
    #[must_use]
    pub fn menu_for(&self, zone: &Name) -> String {
        let way = self.menu.replace("your domain", &zone.to_text_without_dot());
        if self.is_unverified { format!("probably {way}") } else { way }
    }

    /// Returns the sentence for a finding's code, if this provider has one.
    #[must_use]
    pub fn gotcha(&self, code: &str) -> Option<&str> {
        self.gotchas.get(code).map(String::as_str)
    }
}

/// What a panel's host field takes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum HostField {
    /// The labels in front of the zone; a full name gets doubled.
    #[default]
    Relative,
    /// The labels in front of the zone, or the full name.
    FullOk,
    /// The full name.
    Full,
}

/// What a panel makes of a final dot in a value.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum ValueDot {
    /// The panel adds it, or refuses it.
    None,
    /// Both ways work.
    Optional,
    /// Without it the zone is appended.
    Needed,
    /// Nobody knows.
    #[default]
    Unknown,
}

impl ValueDot {
    /// The words where a dot is said to be needed, and nobody has looked.
    const PROBABLY_NEEDED: &'static str =
        "with the dot at the end, as far as we know; without it if the panel refuses it";

    /// Returns the words that go with the value.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::None => "without a dot at the end",
            Self::Optional => "with or without a dot at the end",
            Self::Needed => "with the dot at the end",
            Self::Unknown => "without a dot at the end; with one if your domain gets appended to it",
        }
    }
}

#[cfg(test)]
mod tests;
