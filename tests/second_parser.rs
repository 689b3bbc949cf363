//! A second reader of messages agrees with ours on every packet of the corpus.
//!
//! The packets are what the servers of all scenarios say to every name and type that their zones have, and to some that
//! they have not. The second reader is the crate `domain`.
#![cfg(test)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::base::rdata::ComposeRecordData;
use domain::base::{Message as SecondMessage, ParsedRecord, RecordSection, Rtype, ToName};
use domain::rdata::AllRecordData;
use zoneproof::dns::message::{Edns, Extent, Message, Section, encode_query};
use zoneproof::dns::name::Name;
use zoneproof::dns::rdata::Rdata;
use zoneproof::dns::rrset::{Question, Rcode, Record, RecordType, Ttl};
use zoneproof::evidence::Protocol;
use zoneproof::scenario::{Action, Scenario};

/// The types that every name is asked for, beside those that it has.
const KINDS: &[RecordType] = &[RecordType::TXT, RecordType::CNAME, RecordType::MX, RecordType::NS];

/// One record as either reader sees it: owner, type, time to live, and the data with its names in lower case.
type Seen = (Vec<u8>, u16, u32, Vec<u8>);

/// Returns the data of a record as ours has it, without compression.
fn our_data(rdata: &Rdata) -> Vec<u8> {
    let name = |name: &Name| name.wire().to_ascii_lowercase();
    match rdata {
        Rdata::A(address) => address.octets().to_vec(),
        Rdata::Aaaa(address) => address.octets().to_vec(),
        Rdata::Ns(host) | Rdata::Cname(host) | Rdata::Dname(host) | Rdata::Ptr(host) => name(host),
        Rdata::Mx { preference, exchange } => [preference.to_be_bytes().to_vec(), name(exchange)].concat(),
        Rdata::Txt(strings) => {
            let framed = |string: &[u8]| [&[u8::try_from(string.len()).unwrap()], string].concat();
            strings.iter().flat_map(|string| framed(string)).collect()
        }
        Rdata::Soa(soa) => {
            let numbers = [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum.seconds()];
            [name(&soa.mname), name(&soa.rname), numbers.map(u32::to_be_bytes).concat()].concat()
        }
        Rdata::Other { octets, .. } => octets.to_vec(),
    }
}

/// Returns a record as ours has it.
fn ours(record: &Record) -> Seen {
    let owner = record.owner.wire().to_ascii_lowercase();
    (owner, record.kind().0, record.ttl.seconds(), our_data(&record.rdata))
}

/// Returns a record as the second reader has it.
fn theirs(record: &ParsedRecord<'_, [u8]>) -> Seen {
    let read = record.to_record::<AllRecordData<_, _>>().unwrap().unwrap();
    let mut data = Vec::new();
    match read.data() {
        AllRecordData::A(_)
        | AllRecordData::Aaaa(_)
        | AllRecordData::Ns(_)
        | AllRecordData::Cname(_)
        | AllRecordData::Dname(_)
        | AllRecordData::Ptr(_)
        | AllRecordData::Mx(_)
        | AllRecordData::Txt(_)
        | AllRecordData::Soa(_) => read.data().compose_canonical_rdata(&mut data).unwrap(),
        _ => read.data().compose_rdata(&mut data).unwrap(),
    }
    let owner = record.owner().to_vec().as_slice().to_ascii_lowercase();
    (owner, record.rtype().to_int(), Ttl::from_wire(record.ttl().as_secs()).seconds(), data)
}

/// Returns the records of a section, as the second reader has them and without OPT.
fn section<'a>(records: RecordSection<'a, [u8]>) -> Vec<Seen> {
    let records = records.map(Result::unwrap);
    records.filter(|record| record.rtype() != Rtype::OPT).map(|record| theirs(&record)).collect()
}

/// Reads a packet both ways and compares; a message that ours could not read to its end is left to other tests.
fn compare(packet: &[u8]) -> bool {
    let Ok(first) = Message::decode(packet) else { return false };
    if !first.is_whole() {
        return false;
    }
    let second = SecondMessage::from_slice(packet).unwrap();
    let header = second.header();
    let flags = first.flags;
    assert_eq!(first.id, header.id());
    assert_eq!(
        (flags.is_reply, flags.authoritative, flags.truncated, flags.recursion_desired, flags.recursion_available),
        (header.qr(), header.aa(), header.tc(), header.rd(), header.ra())
    );
    assert_eq!(flags.opcode, header.opcode().to_int());
    let extended = second.opt().map_or(u16::from(header.rcode().to_int()), |opt| opt.rcode(header).to_int());
    assert_eq!(first.rcode.0, extended);
    let question = second.sole_question().ok().map(|asked| (asked.qname().to_vec(), asked.qtype().to_int()));
    let question = question.map(|(name, kind)| (name.as_slice().to_vec(), kind));
    assert_eq!(first.question.as_ref().map(|asked| (asked.name.wire().to_vec(), asked.kind.0)), question);
    let sections = [
        (Section::Answer, second.answer().unwrap()),
        (Section::Authority, second.authority().unwrap()),
        (Section::Additional, second.additional().unwrap()),
    ];
    for (place, records) in sections {
        let records_of_ours: Vec<Seen> = first.section(place).iter().map(ours).collect();
        assert_eq!(records_of_ours, section(records), "{place:?} of {first:?}");
    }
    // Whoever knows what was asked reads the same, and so does who takes it for another question.
    if let Some(asked) = &first.question {
        let plain = Question::new(asked.name.to_lowercase(), asked.kind);
        let other = Question::new(asked.name.clone(), RecordType(!asked.kind.0));
        for known in [plain, other] {
            assert_eq!(Message::decode_reply(packet, &known, Extent::Whole).as_ref(), Ok(&first), "{known}");
        }
        // Whoever wants no more than an answer reads the same, or the same without what stands behind one.
        let read = Message::decode_reply(packet, asked, Extent::Answer).unwrap();
        let is_answer = first.flags.authoritative && first.rcode == Rcode::NOERROR;
        let is_asked = |record: &Record| record.owner == asked.name && record.kind() == asked.kind;
        if is_answer && first.answers.iter().any(is_asked) {
            assert_eq!(read, Message { authority: Vec::new(), additional: Vec::new(), ..first.clone() });
        } else {
            assert_eq!(read, first);
        }
    }
    true
}

/// Collects the scenario files below a folder.
fn scenario_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scenario_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "scn") {
            files.push(path);
        }
    }
}

/// Asks every server of a scenario for all that its zones have, and compares what it says; returns how many packets
/// were compared.
fn compare_all(scenario: &Scenario) -> usize {
    let mut compared = 0;
    for served in scenario.zones() {
        let Some(address) = served.addresses.first() else { continue };
        let mut questions = BTreeSet::new();
        for record in served.zone.records() {
            let kinds = [record.kind()].into_iter().chain(KINDS.iter().copied());
            questions.extend(kinds.map(|kind| Question::new(record.owner.clone(), kind)));
            questions.extend(record.owner.prepend("nobody").map(|name| Question::new(name, RecordType::TXT)));
        }
        for question in questions {
            let edns = Edns { payload_octets: 1232, ..Edns::default() };
            let query = encode_query(4711, &question, 0x5555, Some(&edns));
            for way in [Protocol::Udp, Protocol::Tcp] {
                if let Action::Reply { octets, .. } = scenario.respond(*address, way, &query, 1) {
                    compared += usize::from(compare(&octets));
                }
            }
        }
    }
    compared
}

#[test]
fn a_second_reader_sees_the_same_in_every_packet() {
    let mut files = Vec::new();
    scenario_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios"), &mut files);
    let compared: usize = files
        .into_iter()
        .map(|file| compare_all(&std::fs::read_to_string(&file).unwrap().parse::<Scenario>().unwrap()))
        .sum();
    assert!(compared > 1000, "{compared} packets were compared");
}
