//! What the TXT records at a name say, as far as the evidence goes: joined, with aliases followed.

use std::cmp::Reverse;

use crate::dns::bailiwick::MAX_CHAIN_LINKS;
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::response::Response;
use crate::dns::rrset::{Question, RRset, Record, RecordType};
use crate::evidence::{ChainEnd, Evidence, Observation};
use crate::findings::status::standing;
use crate::records::txt::join;

/// What the TXT records at a name say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Texts {
    /// These texts, each one record, sorted; none where the name or the type is not there.
    Known(Vec<Vec<u8>>),
    /// It takes another question to know.
    Ask(Question),
    /// It cannot be known: no server answers, or the aliases do not end.
    Unknown,
}

/// Returns what most of the answering servers say of the TXT records at `name`.
///
/// One answer is enough, since names on the way are asked of one server after the other until one answers. Among views
/// that as many servers share, the first in order counts, so that the order of servers does not.
pub(super) fn texts_at(evidence: &Evidence, name: &Name) -> Texts {
    follow(evidence, name, MAX_CHAIN_LINKS)
}

/// Returns what one server says of the TXT records at the name that it was asked for.
///
/// The end of an alias counts as the same server gives it, where it may speak of it; else that name's own servers say.
/// That a chain has no end, where its first server says so, is hearsay and not read.
pub(super) fn texts_from(evidence: &Evidence, seen: &Observation) -> Texts {
    step(seen).map_or(Texts::Unknown, |step| take(evidence, step, MAX_CHAIN_LINKS))
}

/// What one reply says of the texts, before aliases are followed.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Step {
    /// These texts.
    Texts(Vec<Vec<u8>>),
    /// What stands at another name, so many links further.
    At(Name, usize),
}

/// Returns what most servers say at `name`, with so many links of aliases left to follow.
///
/// Only the step that most servers share is followed: a hostile zone cannot make a thicket of paths of its aliases.
fn follow(evidence: &Evidence, name: &Name, links_left: usize) -> Texts {
    let question = Question::new(name.clone(), RecordType::TXT);
    let answers = standing(evidence, &question, |_| true);
    if answers.asked() == 0 {
        let is_open = evidence.chain(name).is_none_or(|chain| chain.end == ChainEnd::Reached);
        return if is_open && !evidence.is_asked(&question) { Texts::Ask(question) } else { Texts::Unknown };
    }
    // Most servers say what the one before said, so that most often there is one step to weigh.
    let mut steps: Vec<(Step, usize)> = Vec::new();
    for same in answers.right.chunk_by(|one, next| one.says_the_same_as(next)) {
        let Some(step) = same.first().and_then(|seen| step(seen)) else { continue };
        match steps.iter_mut().find(|(known, _)| *known == step) {
            Some((_, servers)) => *servers += same.len(),
            None => steps.push((step, same.len())),
        }
    }
    let most = steps.into_iter().reduce(|most, next| {
        let weigh = |(step, servers): &(Step, usize)| (*servers, Reverse(step.clone()));
        if weigh(&next) > weigh(&most) { next } else { most }
    });
    most.map_or(Texts::Unknown, |(step, _)| take(evidence, step, links_left))
}

/// Takes a step, with so many links of aliases left to follow.
fn take(evidence: &Evidence, step: Step, links_left: usize) -> Texts {
    match step {
        Step::Texts(texts) => Texts::Known(texts),
        Step::At(target, links) => match links_left.checked_sub(links) {
            Some(links_left) => follow(evidence, &target, links_left),
            None => Texts::Unknown,
        },
    }
}

/// Reads one reply; `None` where it is no answer.
fn step(seen: &Observation) -> Option<Step> {
    match seen.response()? {
        Response::Answer(answer) => Some(Step::Texts(joined(&answer.rrset))),
        Response::NoData(_) | Response::NxDomain(_) => Some(Step::Texts(Vec::new())),
        Response::Alias(alias) => match &alias.rrset {
            Some(rrset) => Some(Step::Texts(joined(rrset))),
            None => Some(Step::At(alias.last_target()?.clone(), alias.links.len().max(1))),
        },
        _ => None,
    }
}

/// Joins the strings of each record.
fn joined(rrset: &RRset) -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = rrset.data().iter().filter_map(text_of).collect();
    texts.sort();
    texts
}

/// Returns the text of a TXT record, its strings joined.
fn text_of(rdata: &Rdata) -> Option<Vec<u8>> {
    match rdata {
        Rdata::Txt(strings) => Some(join(strings)),
        _ => None,
    }
}

/// Returns the TXT records among the replies whose text `is_meant`, and the aliases in front of them; sorted, each once.
pub(super) fn records_found<'e>(
    seen: impl IntoIterator<Item = &'e Observation>,
    is_meant: impl Fn(&[u8]) -> bool,
) -> Vec<Record> {
    answers_found(seen, |rdata| text_of(rdata).is_some_and(|text| is_meant(&text)))
}

/// Returns the records among the replies that `is_meant`, and the aliases in front of them; sorted, each once.
pub(super) fn answers_found<'e>(
    seen: impl IntoIterator<Item = &'e Observation>,
    is_meant: impl Fn(&Rdata) -> bool,
) -> Vec<Record> {
    let mut found: Vec<Record> = Vec::new();
    // Most servers say what the one before said, perhaps with other times to live: the lowest one counts.
    let mut last: Option<(&Observation, usize)> = None;
    for seen in seen {
        if let Some((_, at)) = last.filter(|(last, _)| last.says_the_same_as(seen)) {
            let ttl = rrset_of(seen).map(|rrset| rrset.ttl);
            for (record, ttl) in found.iter_mut().skip(at).zip(ttl.into_iter().cycle()) {
                record.ttl = record.ttl.min(ttl);
            }
            continue;
        }
        if let Some(Response::Alias(alias)) = seen.response() {
            found.extend(alias.links.iter().map(|link| Record {
                owner: link.owner.clone(),
                ttl: link.ttl,
                rdata: Rdata::Cname(link.target.clone()),
            }));
        }
        last = Some((seen, found.len()));
        let rrset = rrset_of(seen).into_iter();
        for (rrset, rdata) in rrset.flat_map(|rrset| rrset.data().iter().map(move |rdata| (rrset, rdata))) {
            if is_meant(rdata) {
                found.push(Record { owner: rrset.owner.clone(), ttl: rrset.ttl, rdata: rdata.clone() });
            }
        }
    }
    found.sort_by(|a, b| (&a.owner, &a.rdata, a.ttl).cmp(&(&b.owner, &b.rdata, b.ttl)));
    found.dedup_by(|later, first| later.owner == first.owner && later.rdata == first.rdata);
    found
}

/// Returns the records that an answer gives, be it at the end of an alias.
fn rrset_of(seen: &Observation) -> Option<&RRset> {
    match seen.response()? {
        Response::Answer(answer) => Some(&answer.rrset),
        Response::Alias(alias) => alias.rrset.as_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dns::rrset::Ttl;
    use crate::evidence::Outcome;
    use crate::findings::sample::{evidence, question};

    #[test]
    fn of_what_servers_say_alike_the_lowest_time_to_live_is_told() {
        let text = "zone example.com. ns1.example.net.=192.0.2.1 ns2.example.net.=192.0.2.2
                    a.example.com. TXT: one | two
                    b.example.com. TXT: alias a.example.com.";
        let mut said = evidence(text);
        let asked = question("a.example.com. TXT");
        let mut second = said.observations(&asked)[1].clone();
        if let Outcome::Replied(reply) = &mut second.outcome
            && let Response::Answer(answer) = &mut Arc::make_mut(reply).response
        {
            answer.rrset.ttl = Ttl::from_wire(7);
        }
        said.add_observation(asked.clone(), second);
        let told = |asked: &Question| {
            let found = records_found(said.observations(asked), |_| true);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(&asked), ["a.example.com. 7 TXT \"one\"", "a.example.com. 7 TXT \"two\""]);
        assert_eq!(told(&question("b.example.com. TXT")), ["b.example.com. 300 CNAME a.example.com."]);
    }
}
