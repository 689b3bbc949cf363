//! Remedies for zones and their servers: what to change at the registrar, and when to wait.

use crate::dns::name::Name;
use crate::dns::public_suffix::{is_registry, registrable_name};
use crate::evidence::ZoneCut;
use crate::findings::Subject;
use crate::remedy::case::{Case, join};
use crate::remedy::place::Place;
use crate::remedy::words::{aside, list, list_names, plural, quoted, shown};
use crate::remedy::{Action, Remedy, Step};

/// The domain is not registered.
pub(super) fn not_registered(case: &Case<'_>) -> Remedy {
    let domain = registrable_name(case.owner).unwrap_or_else(|| case.owner.clone());
    let domain = shown(&domain);
    let text = format!(
        "{domain} does not exist: it is not registered, has expired, or is on hold. Register or renew it, or have its \
         registrar lift the hold; until then none of its records can be seen."
    );
    Remedy { provider: None, text, steps: Vec::new() }
}

/// The servers' addresses cannot be learned.
pub(super) fn delegation_loop(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let servers = zone.servers(case);
    let text = format!(
        "The addresses of the name servers of {}{} can be learned from these servers only, so that nobody finds them. \
         {}, give the addresses of these servers (as host records, also called glue), or set name servers whose names lie \
         in another domain.",
        shown(&zone.name),
        aside(&list_names(&servers)),
        zone.at_delegator()
    );
    zone.advise(text)
}

/// A server has no address.
pub(super) fn ns_unresolvable(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let servers = zone.servers(case);
    let (has, it) = (plural(servers.len(), "has", "have"), plural(servers.len(), "it", "them"));
    let what = format!("{} of {} {has} no address, so that nobody can ask {it}.", named(&servers), shown(&zone.name));
    zone.without(&servers, what, &format!("correct the spelling, or take {it} out"))
}

/// A server's address is not public.
pub(super) fn ns_address_forbidden(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let servers = zone.servers(case);
    let (has, it) = (plural(servers.len(), "has", "have"), plural(servers.len(), "it", "them"));
    let addresses = case.addresses();
    let address = match addresses.len() {
        0 => "an address that is private or reserved".to_owned(),
        1 => format!("the address {}, which is private or reserved", list(addresses)),
        _ => format!("the addresses {}, which are private or reserved", list(addresses)),
    };
    let what = format!("{} of {} {has} {address}: nobody outside can ask {it}.", named(&servers), shown(&zone.name));
    zone.without(&servers, what, &format!("give {it} a public address, or take {it} out"))
}

/// No server serves the zone.
pub(super) fn lame_all(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let name = shown(&zone.name);
    let servers = match zone.servers(case).as_slice() {
        [] => "of its provider".to_owned(),
        servers => list_names(servers),
    };
    let text = format!(
        "Whoever looks for {name} is sent to the name servers {servers}, and each of them that answers says that it does not serve \
         {name}. Either set {name} up at {} (there it is called a DNS zone or a domain), or, {}, set the name servers of the \
         provider where the records of {name} are kept.",
        zone.place.who(),
        lower_first(&zone.at_delegator())
    );
    zone.advise(text)
}

/// Some servers do not serve the zone.
pub(super) fn lame_some(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let lame = case.names("lame");
    let servers = if lame.is_empty() { zone.servers(case) } else { lame.to_vec() };
    let (answer, they) =
        (plural(servers.len(), "answers that it does", "answer that they do"), plural(servers.len(), "it", "them"));
    let what = format!("{} of {} {answer} not serve the zone.", named(&servers), shown(&zone.name));
    zone.without(&servers, what, &format!("take {they} out, unless the zone is to be set up there"))
}

/// A server is silent.
pub(super) fn ns_unreachable(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let servers = zone.servers(case);
    let at = aside(&list(case.addresses()));
    let (does, it) = (plural(servers.len(), "does", "do"), plural(servers.len(), "it", "them"));
    let text = format!(
        "{}{at} of {} {does} not answer, however asked (over UDP and TCP). Check again in a few minutes. If it stays so, have {} repair {it}, \
         or take {it} out {}.",
        named(&servers),
        shown(&zone.name),
        zone.place.who(),
        lower_first(&zone.at_delegator())
    );
    Remedy { provider: zone.place.provider_id(), text, steps: Vec::new() }
}

/// The two lists of servers differ.
pub(super) fn parent_child_ns_mismatch(case: &Case<'_>) -> Remedy {
    let zone = Zone::of(case);
    let (only_in_zone, only_at_parent) = (case.names("missing_at_parent"), case.names("missing_at_child"));
    let side = |servers: &[Name], place: String| {
        (!servers.is_empty())
            .then(|| format!("{} {} only {place}", list_names(servers), plural(servers.len(), "stands", "stand")))
    };
    let sides: Vec<String> =
        [side(only_at_parent, zone.list_of_delegator()), side(only_in_zone, "in the zone".to_owned())]
            .into_iter()
            .flatten()
            .collect();
    let detail = if sides.is_empty() { String::new() } else { format!(": {}", sides.join(", and ")) };
    let what = format!(
        "{} has two lists of name servers, one {} and one in itself (its NS records), and they differ{detail}.",
        shown(&zone.name),
        zone.list_of_delegator()
    );
    let mut steps: Vec<Step> = only_at_parent.iter().map(|server| zone.step(Action::Delete, server)).collect();
    steps.extend(only_in_zone.iter().map(|server| zone.step(Action::Add, server)));
    let other = "Where the other list is the right one, change the NS records in the zone instead.".to_owned();
    let text = join([Some(what), Some(zone.tell("make the list the same as the zone's", &steps)), Some(other)]);
    Remedy { steps, ..zone.advise(text) }
}

/// The delegation is too costly.
pub(super) fn budget_exceeded(case: &Case<'_>) -> Remedy {
    let what = format!("To learn about {} takes more questions than one check may ask.", shown(case.owner));
    let advice = "Use fewer name servers, with their addresses given at the registrar, and shorter chains of aliases; then \
                  check again.";
    Remedy { provider: None, text: format!("{what} {advice}"), steps: Vec::new() }
}

/// Too few servers answered.
pub(super) fn unable_to_check(case: &Case<'_>) -> Remedy {
    let servers = match (case.number("ok"), case.number("of")) {
        (Some(0), Some(_)) => "None of the name servers".to_owned(),
        (Some(some), Some(all)) => format!("Only {some} of {all} name server addresses"),
        _ => "Fewer than half of the name servers".to_owned(),
    };
    let what = format!("{servers} gave an answer about {}: the record may well be right.", shown(case.owner));
    let advice =
        format!("Check again in a few minutes. If it stays so, have {} look at the servers.", case.place.who());
    case.advise(what, advice)
}

/// The servers differ.
pub(super) fn inconsistent_servers(case: &Case<'_>) -> Remedy {
    let zone = shown(&case.place.zone);
    let name = shown(case.owner);
    let what = match (case.number("ok"), case.number("of")) {
        (Some(right), Some(all)) => {
            let have = plural(usize::try_from(right).unwrap_or(usize::MAX), "has", "have");
            format!("Only {right} of {all} name server addresses of {zone} {have} the right answer for {name}.")
        }
        _ => format!("The name servers of {zone} give different answers for {name}."),
    };
    let usual = case.place.panel().publish_seconds.map(|seconds| seconds.div_ceil(60)).map(|minutes| {
        let minute = plural(usize::try_from(minutes).unwrap_or(usize::MAX), "minute", "minutes");
        format!(" (at {} usually within {minutes} {minute})", case.place.who())
    });
    let advice = format!(
        "A change reaches one server after the other: wait until all have it{}. If it stays so, ask {} why its servers differ.",
        usual.unwrap_or_default(),
        case.place.who()
    );
    case.advise(what, advice)
}

/// A zone, and where its delegation is kept.
pub(super) struct Zone<'a> {
    /// The zone.
    pub(super) name: Name,
    /// Who serves it.
    pub(super) place: Place,
    /// Its delegation.
    cut: Option<&'a ZoneCut>,
    /// The zone above, where that is not a registry's.
    above: Option<Place>,
}

impl<'a> Zone<'a> {
    /// Finds the zone of a finding.
    pub(super) fn of(case: &Case<'a>) -> Self {
        let name = match &case.finding.subject {
            Subject::Zone(zone) | Subject::Server { zone, .. } => zone.clone(),
            Subject::Domain(_) | Subject::Record { .. } => case.name("zone").unwrap_or(&case.place.zone).clone(),
        };
        let cut = case.evidence.cut(&name);
        let place = match cut {
            Some(cut) => Place::of_cut(cut, case.evidence),
            None => Place::of(&name, case.evidence),
        };
        let parent = cut.and_then(|cut| cut.parent.clone()).or_else(|| name.parent());
        let above = parent.filter(|parent| !is_registry(parent)).map(|parent| Place::of(&parent, case.evidence));
        Self { name, place, cut, above }
    }

    /// Returns the servers that the finding names, else all of the zone.
    pub(super) fn servers(&self, case: &Case<'_>) -> Vec<Name> {
        match (case.names("servers"), &case.finding.subject) {
            ([], Subject::Server { server, .. }) => vec![server.clone()],
            ([], _) => self.cut.into_iter().flat_map(ZoneCut::server_names).cloned().collect(),
            (servers, _) => servers.to_vec(),
        }
    }

    /// Names the place where the delegation is kept, at the beginning of a sentence.
    pub(super) fn at_delegator(&self) -> String {
        match &self.above {
            Some(above) => format!("In the zone {}, at {}", shown(&above.zone), above.who()),
            None => format!("At the registrar of {} (the company that the domain was bought from)", shown(&self.name)),
        }
    }

    /// Names the list that is kept there.
    fn list_of_delegator(&self) -> String {
        match &self.above {
            Some(above) => format!("in the zone above, {}", shown(&above.zone)),
            None => "at the registrar".to_owned(),
        }
    }

    /// Makes a step where the delegation is kept.
    fn step(&self, action: Action, server: &Name) -> Step {
        let host = match &self.above {
            Some(above) => above.host(&self.name),
            None => shown(&self.name),
        };
        Step { action, host, record_type: "NS".to_owned(), value: Some(server.to_text_without_dot()) }
    }

    /// Tells steps as one sentence.
    fn tell(&self, purpose: &str, steps: &[Step]) -> String {
        let of = |action: Action| {
            let values: Vec<String> = steps
                .iter()
                .filter(|step| step.action == action)
                .filter_map(|step| step.value.as_deref().map(quoted))
                .collect();
            (!values.is_empty())
                .then(|| format!("{} {}", if action == Action::Add { "add" } else { "take out" }, list(values)))
        };
        let done: Vec<String> = [of(Action::Delete), of(Action::Add)].into_iter().flatten().collect();
        let detail = if done.is_empty() { String::new() } else { format!(": {}", done.join(", and ")) };
        format!("{}, {purpose}{detail}.", self.at_delegator())
    }

    /// Puts a remedy together whose place is where the delegation is kept.
    pub(super) fn advise(&self, text: String) -> Remedy {
        let provider = self.above.as_ref().and_then(Place::provider_id);
        Remedy { provider, text, steps: Vec::new() }
    }

    /// Takes servers out of the delegation; there are steps only where others are left.
    fn without(&self, servers: &[Name], what: String, advice: &str) -> Remedy {
        let is_other_left = self.cut.is_some_and(|cut| cut.server_names().any(|server| !servers.contains(server)));
        let remedy = self.advise(format!("{what} {}, {advice}.", self.at_delegator()));
        let steps = servers.iter().filter(|_| is_other_left).map(|server| self.step(Action::Delete, server));
        Remedy { steps: steps.collect(), ..remedy }
    }
}

/// Names servers at the beginning of a sentence.
pub(super) fn named(servers: &[Name]) -> String {
    match servers {
        [] => "Name servers".to_owned(),
        [server] => format!("The name server {}", shown(server)),
        _ => format!("The name servers {}", list_names(servers)),
    }
}

/// Turns a beginning of a sentence into a part of one.
pub(super) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}
