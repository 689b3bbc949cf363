//! Looks over a whole tree of SPF records, whoever sends: how many lookups each branch takes, and where it is dead.
//!
//! Evaluates nothing: all live terms count, as for a sender that none of them matches. Asks nothing either: what is not
//! answered yet is told, and so is what stays unknown.

use super::evaluation::{Answer, MAX_EXCHANGERS};
use super::{DomainSpec, Mechanism, Qualifier, SpfRecord, TermKind, is_spf, parse};
use crate::dns::name::Name;
use crate::dns::rdata::Rdata;
use crate::dns::rrset::{Question, RecordType};
use crate::records::txt::join;

/// The most lookups that are followed; a tree with more is beyond all limits anyway. Those of the record at the top are
/// counted to the end: it may have thousands, and each may lead to a thousand hosts.
const MAX_FOLLOWED: u32 = 40;

/// One branch of the tree: a term of the record at the top, and the lookups that it takes with all below it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Branch {
    /// The term, as written without what means nothing.
    pub term: String,
    /// The lookups.
    pub lookups: u32,
}

/// What a tree of records comes to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Survey {
    /// What is not answered yet; sorted, without duplicates.
    pub wanted: Vec<Question>,
    /// The lookups of the whole tree; at least so many where something is unknown.
    pub lookups: u32,
    /// The branches that take lookups, in the order written.
    pub branches: Vec<Branch>,
    /// What is answered by nothing for a sender with an IPv4 address; sorted, without duplicates.
    pub voids: Vec<Question>,
    /// Names that are included or redirected to and have no SPF record; sorted, without duplicates.
    pub dead: Vec<Name>,
    /// Names that lead back to themselves; sorted, without duplicates.
    pub loops: Vec<Name>,
    /// Whether senders that pass at a record that was taken to be right pass here too.
    pub reaches_taken: bool,
    /// Whether every record of the tree could be read: none was unanswered, broken, or at a name with macros.
    pub is_whole: bool,
}

impl Survey {
    /// Looks over the tree under `record`, which stands at `owner`, with what `answer` knows.
    ///
    /// Records at `taken` are taken to be right and to ask nothing. Names with macros lead nowhere here.
    pub fn over(
        owner: &Name,
        record: &SpfRecord,
        taken: &[Name],
        answer: &mut dyn FnMut(&Question) -> Option<Answer>,
    ) -> Self {
        let mut walk = Walk { survey: Self { is_whole: true, ..Self::default() }, taken, answer };
        let mut path = vec![owner.clone()];
        for term in record.live_terms().filter(|term| term.kind.is_lookup()) {
            let before = walk.survey.lookups;
            walk.visit_term(&term.kind, &mut path, true);
            let lookups = walk.survey.lookups - before;
            walk.survey.branches.push(Branch { term: term.to_string(), lookups });
        }
        let mut survey = walk.survey;
        survey.wanted.sort();
        survey.wanted.dedup();
        survey.voids.sort();
        survey.voids.dedup();
        survey.dead.sort();
        survey.dead.dedup();
        survey.loops.sort();
        survey.loops.dedup();
        survey
    }

    /// Returns the branch that takes the most lookups, the first of several.
    #[must_use]
    pub fn heaviest(&self) -> Option<&Branch> {
        self.branches.iter().rev().max_by_key(|branch| branch.lookups)
    }
}

/// A survey on its way.
struct Walk<'a> {
    /// What was found so far.
    survey: Survey,
    /// The names whose records are taken to be right.
    taken: &'a [Name],
    /// What is known.
    answer: &'a mut dyn FnMut(&Question) -> Option<Answer>,
}

impl Walk<'_> {
    /// Counts a term and follows it; `passes` says whether who passes here passes at the top.
    fn visit_term(&mut self, kind: &TermKind, path: &mut Vec<Name>, passes: bool) {
        self.survey.lookups += 1;
        let own = path.last().cloned();
        let or_own = |spec: &Option<DomainSpec>| spec.as_ref().map_or(own, DomainSpec::name);
        match kind {
            TermKind::Redirect(spec) | TermKind::Directive(_, Mechanism::Include(spec)) => {
                let passes =
                    passes && !matches!(kind, TermKind::Directive(qualifier, _) if *qualifier != Qualifier::Pass);
                match spec.name() {
                    Some(name) => self.visit_record(name, path, passes),
                    None => self.survey.is_whole = false,
                }
            }
            _ if self.survey.lookups > MAX_FOLLOWED => {}
            TermKind::Directive(_, Mechanism::A(spec, _)) => {
                if let Some(name) = or_own(spec) {
                    self.ask(Question::new(name, RecordType::A));
                }
            }
            TermKind::Directive(_, Mechanism::Exists(spec)) => {
                if let Some(name) = spec.name() {
                    self.ask(Question::new(name, RecordType::A));
                }
            }
            TermKind::Directive(_, Mechanism::Mx(spec, _)) => {
                let Some(name) = or_own(spec) else { return };
                let exchangers = self.ask(Question::new(name, RecordType::MX)).unwrap_or_default();
                // Receivers stop at a name with more (RFC 7208 §4.6.4).
                for exchanger in exchangers.into_iter().take(MAX_EXCHANGERS) {
                    if let Rdata::Mx { exchange, .. } = exchanger
                        && !exchange.is_root()
                    {
                        self.ask(Question::new(exchange, RecordType::A));
                    }
                }
            }
            _ => {}
        }
    }

    /// Follows an include or a redirect to a record, and goes through it.
    fn visit_record(&mut self, name: Name, path: &mut Vec<Name>, passes: bool) {
        if self.taken.contains(&name) {
            self.survey.reaches_taken |= passes;
            return;
        }
        if self.survey.lookups > MAX_FOLLOWED {
            self.survey.is_whole = false;
            return;
        }
        if path.contains(&name) {
            self.survey.loops.push(name);
            return;
        }
        let Some(found) = self.ask(Question::new(name.clone(), RecordType::TXT)) else {
            self.survey.is_whole = false;
            return;
        };
        let texts = found.iter().filter_map(|rdata| match rdata {
            Rdata::Txt(strings) => Some(join(strings)),
            _ => None,
        });
        let texts: Vec<Vec<u8>> = texts.filter(|text| is_spf(text)).collect();
        match texts.as_slice() {
            [] => self.survey.dead.push(name),
            // Receivers stop at a record that cannot be read, and at one of several: nothing lies below.
            [text] => {
                let Ok(record) = parse(text) else {
                    self.survey.is_whole = false;
                    return;
                };
                path.push(name);
                for term in record.live_terms().filter(|term| term.kind.is_lookup()) {
                    if self.survey.lookups <= MAX_FOLLOWED {
                        self.visit_term(&term.kind, path, passes);
                    }
                }
                path.pop();
            }
            _ => self.survey.is_whole = false,
        }
    }

    /// Returns the records that answer a question; `None` where that is unknown.
    fn ask(&mut self, question: Question) -> Option<Vec<Rdata>> {
        match (self.answer)(&question) {
            None => {
                self.survey.wanted.push(question);
                None
            }
            Some(Answer::Failed) => None,
            Some(Answer::Records(records)) if !records.is_empty() => Some(records),
            Some(Answer::Records(_) | Answer::NxDomain) => {
                self.survey.voids.push(question);
                Some(Vec::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_very_many_terms_is_counted_to_its_end_and_not_followed_that_far() {
        let terms: String = (0..500).map(|number| format!(" a:a{number}.example mx:m{number}.example")).collect();
        let record = parse(format!("v=spf1{terms} include:taken.example").as_bytes()).unwrap();
        let host = |name: &Name, host: u8| {
            let exchange = name.prepend(format!("h{host}")).unwrap();
            Rdata::Mx { preference: 0, exchange }
        };
        let mut asked = 0_u32;
        let mut answer = |question: &Question| {
            asked += 1;
            Some(match question.kind {
                RecordType::MX => Answer::Records((0..100).map(|number| host(&question.name, number)).collect()),
                _ => Answer::Records(vec![Rdata::A([192, 0, 2, 1].into())]),
            })
        };
        let taken = Name::parse("taken.example.").unwrap();
        let survey =
            Survey::over(&Name::parse("example.").unwrap(), &record, std::slice::from_ref(&taken), &mut answer);
        assert_eq!((survey.lookups, survey.branches.len(), survey.reaches_taken), (1001, 1001, true));
        let exchangers = u32::try_from(MAX_EXCHANGERS).unwrap();
        assert_eq!(asked, MAX_FOLLOWED / 2 * (1 + 1 + exchangers));
    }

    #[test]
    fn a_tree_is_counted_by_branch_and_its_dead_ends_are_named() {
        let zone = [
            ("a.example.", "v=spf1 mx a include:b.example -all"),
            ("b.example.", "v=spf1 include:gone.example include:a.example ?all"),
        ];
        let mut answer = |question: &Question| {
            let text = zone.iter().find(|(name, _)| question.name == Name::parse(name).unwrap());
            Some(match (question.kind, text) {
                (RecordType::TXT, Some((_, text))) => Answer::Records(vec![Rdata::Txt(vec![text.as_bytes().into()])]),
                (RecordType::A, _) => Answer::Records(vec![Rdata::A([192, 0, 2, 1].into())]),
                (_, Some(_)) => Answer::Records(Vec::new()),
                _ => Answer::NxDomain,
            })
        };
        let record = parse(b"v=spf1 a include:a.example include:taken.example ip4:192.0.2.1 -all").unwrap();
        let name = |text: &str| Name::parse(text).unwrap();
        let survey = Survey::over(&name("example."), &record, &[name("taken.example.")], &mut answer);
        let branches: Vec<(&str, u32)> = survey.branches.iter().map(|one| (one.term.as_str(), one.lookups)).collect();
        assert_eq!(branches, [("a", 1), ("include:a.example", 6), ("include:taken.example", 1)]);
        assert_eq!((survey.lookups, survey.heaviest().map(|one| one.lookups)), (8, Some(6)));
        assert_eq!(survey.dead, [name("gone.example.")]);
        assert_eq!(survey.loops, [name("a.example.")]);
        let voids: Vec<String> = survey.voids.iter().map(ToString::to_string).collect();
        assert_eq!(voids, ["a.example. MX", "gone.example. TXT"]);
        assert!(survey.wanted.is_empty() && survey.is_whole && survey.reaches_taken);
    }
}
