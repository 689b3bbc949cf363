//! The pages of what is wrong with a zone, its delegation and its servers.

use super::{Page, row};
use crate::findings::catalogue::Code;

/// What keeps everything below it from being seen, or from being the same everywhere.
pub(super) const CAUSES: &[(Code, Page)] = &[
    row(
        Code::NotRegistered,
        "Two servers of the registry (the zone above, such as com) are asked for the domain, and each says with authority that there is no such name (NXDOMAIN).",
        &[
            (Code::LameAll, "there the registry still names servers for the domain, and these do not serve it."),
            (Code::UnableToCheck, "there nobody answers at all; here the registry answers, and says no."),
        ],
    ),
    row(
        Code::ExpiredParked,
        "The name servers that the zone above names are those of a service for expired domains or domains for sale, and a name that nobody made has the same address as the domain.",
        &[
            (Code::NotRegistered, "there the registry does not know the domain at all."),
            (Code::WildcardSynth, "there the domain's own servers have a wildcard."),
        ],
    ),
    row(
        Code::DelegationLoop,
        "To ask a name server one needs its address. Each server's address was looked up, and each lookup led back to a server whose address is being looked for.",
        &[
            (Code::NsUnresolvable, "there the lookup ends, with the answer that there is no address."),
            (
                Code::BudgetExceeded,
                "there the lookups do not come to an end within the limits, and need not be a circle.",
            ),
        ],
    ),
    row(
        Code::NsUnresolvable,
        "The zone above names the server and gives no address with it (no glue), and the servers in charge of the server's own name say that it has none.",
        &[
            (Code::DelegationLoop, "there the address exists, and nobody can get at it."),
            (Code::NsUnreachable, "there the server has an address and does not answer at it."),
        ],
    ),
    row(
        Code::NsAddressForbidden,
        "The address was compared with the registry of special-purpose addresses (RFC 6890). It is never asked, so nothing is known of what is behind it.",
        &[(Code::NsUnreachable, "there the address is public and was asked.")],
    ),
    row(
        Code::LameAll,
        "Every address of every name server that the zone above names was asked. Each that answers refuses (REFUSED), refers upwards, or answers without authority (AA=0).",
        &[
            (
                Code::NsUnreachable,
                "there the servers stay silent; here they answer and say that the domain is not theirs.",
            ),
            (Code::NotRegistered, "there the registry does not know the domain any more."),
        ],
    ),
    row(
        Code::NsUnreachable,
        "Each of the server's addresses was asked several times over UDP and then over TCP; no answer came.",
        &[
            (Code::LameSome, "there the server answers, and does not serve the domain."),
            (
                Code::UnableToCheck,
                "that is about a record: too few servers of its zone gave an answer, whatever the reason.",
            ),
        ],
    ),
    row(
        Code::RefusedByPolicy,
        "The server answers REFUSED to questions about the domain, and with authority (AA=1) to others: those for the expected records, or the one for the SOA record of the zone.",
        &[
            (
                Code::LameAll,
                "there the question for the SOA record is refused too: the server does not know the domain.",
            ),
            (Code::UnableToCheck, "there the servers fail in other ways."),
        ],
    ),
    row(
        Code::BudgetExceeded,
        "A check may send 300 packets, take in 512 KiB and follow 16 zone cuts, and take 30 seconds. One of these limits was met before everything was asked.",
        &[(Code::DelegationLoop, "there the circle itself was seen.")],
    ),
    row(
        Code::WrongProviderEdited,
        "The servers that the zone above names do not have the record. Servers of another provider, which nobody is sent to, were asked directly and answer with authority and the right record.",
        &[
            (Code::Absent, "there no other provider's servers were found to have it."),
            (Code::SubzoneShadow, "there the other servers are those of the zone above."),
        ],
    ),
    row(
        Code::DnssecBogusNoDnskey,
        "The zone above has DS records. The zone's keys (DNSKEY) were asked for at all its servers, and none has the number (key tag), the algorithm and the fingerprint (digest) of any of them. Where a key has the first two and another digest, the DS record was copied wrong or made for another key.",
        &[
            (Code::DnssecExpiredSig, "there a key fits, and its signature has run out."),
            (
                Code::LameAll,
                "there the servers do not serve the zone; here they do, and resolvers that check signatures refuse the answers.",
            ),
        ],
    ),
    row(
        Code::DnssecExpiredSig,
        "A key fits the DS record. At every server that answers, all its signatures (RRSIG) over the keys, over the zone's SOA record, which is signed anew with every change, or over an expected record ended more than an hour ago.",
        &[(Code::DnssecBogusNoDnskey, "there no key fits what the zone above says.")],
    ),
    row(
        Code::DnssecNotYetValid,
        "A key fits the DS record in the zone above. The signatures (RRSIG) over keys or expected records were checked at all servers that answer, and each begins to hold more than an hour from now.",
        &[(Code::DnssecExpiredSig, "there the signatures held and ran out.")],
    ),
    row(
        Code::DnssecBadSignature,
        "A key fits the DS record in the zone above. A record was asked for with its signature at all servers that answer, and none of the signatures, checked with the zone's keys, is over the records beside it.",
        &[
            (
                Code::DnssecMissingSignature,
                "there no signature came along, or one by a key that the zone does not have.",
            ),
            (Code::DnssecExpiredSig, "there the signature is over the records, and its time has passed."),
        ],
    ),
    row(
        Code::DnssecMissingSignature,
        "A key fits the DS record in the zone above. Keys or a record were asked for with their signatures at all servers that answer; none came along by a key that the zone has, and no unsigned delegation explains it.",
        &[
            (Code::DnssecBogusNoDnskey, "there no key fits what the zone above says."),
            (
                Code::DnssecMissingDenial,
                "there the record is not there, or is made from a wildcard, and that is not proven.",
            ),
        ],
    ),
    row(
        Code::DnssecMissingDenial,
        "A key fits the DS record in the zone above. All servers that answer say that a record is not there, give one that is made from a wildcard, or delegate a zone below without DS records; the signed NSEC or NSEC3 records beside it do not prove it.",
        &[
            (Code::DnssecMissingSignature, "there the record itself has no signature."),
            (Code::Absent, "that is about the record: it is not there, whether or not that is proven."),
        ],
    ),
    row(
        Code::UnableToCheck,
        "All addresses of all authoritative servers were asked for the record. Fewer than half gave a usable answer with authority. Nothing is concluded from silence.",
        &[
            (Code::Absent, "there the servers do answer, and all say that there is no record."),
            (Code::LameAll, "there all servers answer that the domain is not theirs."),
            (Code::NsUnreachable, "that names the server that stays silent."),
        ],
    ),
    row(
        Code::InconsistentServers,
        "The same question went to all servers at about the same time. Some gave the right answer and some another one, each with authority.",
        &[
            (Code::Absent, "there all servers agree that there is no record."),
            (Code::UnableToCheck, "there too few servers answer to compare them."),
        ],
    ),
];

/// What works today and will hurt.
pub(super) const HEALTH: &[(Code, Page)] = &[
    row(
        Code::LameSome,
        "Some of the servers that the zone above names refuse, refer upwards, or answer without authority (AA=0); others serve the domain.",
        &[(Code::LameAll, "there none serves it."), (Code::NsUnreachable, "there a server stays silent.")],
    ),
    row(
        Code::CnameAtApex,
        "The name of the zone itself, beside its SOA and NS records, has a CNAME.",
        &[(Code::CnameAtParent, "there the alias is a name within the zone, which may be one.")],
    ),
    row(
        Code::GlueStale,
        "The zone above gives an address with the name server's name (glue); the zone that the name lies in gives another one.",
        &[
            (Code::NsUnreachable, "there the address does not answer; stale glue is one reason."),
            (Code::ParentChildNsMismatch, "there the names differ, not the addresses."),
        ],
    ),
    row(
        Code::DnssecTooMuchWork,
        "Signatures were checked until a limit was met: 2 keys of one number (key tag), 4 signatures over one set of records, 8 DS records, 30 checks and 4 failures in all. Nothing is concluded about the signatures.",
        &[(Code::DnssecBadSignature, "there all signatures were checked, and none holds.")],
    ),
    row(
        Code::DnssecManyIterations,
        "A record that is not there was asked for. The signed NSEC3 records that say so repeat their hash more than 50 times, the limit of current resolvers.",
        &[(Code::DnssecMissingDenial, "there the hashes are cheap, and prove nothing.")],
    ),
    row(
        Code::AnswerTooLarge,
        "The largest answer at the name holds more records, or more text, than anybody needs there.",
        &[
            (Code::UnableToCheck, "there the servers give no answer."),
            (Code::BrokenTcp, "there an answer is cut, whatever its size, and not given over TCP."),
        ],
    ),
    row(
        Code::BrokenTcp,
        "The server cut its answer over UDP (TC=1), and the same question over TCP to the same address was not answered.",
        &[(Code::NsUnreachable, "there neither is answered.")],
    ),
    row(
        Code::BrokenEdns,
        "The server fails on questions with EDNS, the extension that all today's resolvers use, and answers the same question without it.",
        &[(Code::NsUnreachable, "there no form of the question is answered.")],
    ),
    row(
        Code::Broken0x20,
        "Every letter of a question goes out capital or small at random. The reply over UDP repeats the question in other letters; over TCP, where nobody can forge, the same server answers it.",
        &[
            (Code::BrokenTcp, "there the answer over UDP is cut, and TCP gives none."),
            (Code::UnableToCheck, "there the question is not answered over TCP either."),
        ],
    ),
    row(
        Code::BrokenQmin,
        "A server has a DKIM record, and says of the name right above it (_domainkey in front of the domain) that it does not exist (NXDOMAIN). Asked at full depth only.",
        &[(Code::Absent, "there the record itself is not there.")],
    ),
    row(
        Code::NoDelegationSubzone,
        "The servers of the zone above do not hand the sub-domain over, though it has name server records of its own at other servers.",
        &[(Code::SubzoneShadow, "there the sub-domain is handed over, and the record is in the zone above.")],
    ),
    row(
        Code::NsV6OnlyBroken,
        "The server was asked at its IPv4 and at its IPv6 addresses; it answers over one family and over the other not.",
        &[(Code::NsUnreachable, "there the server answers at none of its addresses.")],
    ),
    row(
        Code::ParentChildNsMismatch,
        "The list of name servers was asked of the zone above and of the zone itself; they do not hold the same names.",
        &[
            (Code::LameSome, "there a server of the list does not serve the domain; both can be found together."),
            (Code::InconsistentServers, "there the servers differ about a record."),
        ],
    ),
];
