//! The page of each code: how it is known, and what else looks like it.
//!
//! Beside the catalogue, whose lines stay short. A code without a page is explained by its line in the catalogue alone.

use crate::findings::catalogue::Code;

/// What is told of a code beside its line in the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// What was asked and seen that proves it: the fingerprint.
    pub how: &'static str,
    /// What looks like it and is something else: the code, and what tells the two apart.
    pub lookalikes: &'static [(Code, &'static str)],
}

/// Returns the page of a code.
#[must_use]
pub fn page(code: Code) -> Option<&'static Page> {
    PAGES.iter().find(|(known, _)| *known == code).map(|(_, page)| page)
}

/// Makes a row of the table.
const fn row(code: Code, how: &'static str, lookalikes: &'static [(Code, &'static str)]) -> (Code, Page) {
    (code, Page { how, lookalikes })
}

/// The pages, in the catalogue's order.
const PAGES: &[(Code, Page)] = &[
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
        "The zone above has DS records. The zone's keys (DNSKEY) were asked for at all its servers, and none has the tag, algorithm and digest of any of them.",
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
        "The signatures (RRSIG) that came with the answers have an end that lies in the past by more than the clocks may differ.",
        &[(Code::DnssecBogusNoDnskey, "there no key fits what the zone above says.")],
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
    row(
        Code::SubzoneShadow,
        "The record's name lies below a zone cut (a part of the domain that was handed over to other name servers). Those servers do not have the record; the servers of the zone above, asked directly, answer with it or with the handing over.",
        &[
            (Code::Absent, "there the record is nowhere, or there is no zone in between."),
            (Code::LabelMissing, "there the record stands one level too high within one and the same zone."),
        ],
    ),
    row(
        Code::CfProxied,
        "The zone's name servers are Cloudflare's. There is no CNAME at the name, and all addresses that are there lie in Cloudflare's published networks. A name beside it that nobody made has none of them.",
        &[
            (Code::WrongTypeAddress, "there some address is not Cloudflare's own."),
            (Code::WildcardSynth, "there a name that nobody made has the same address."),
            (Code::CfFlattened, "there the name has nothing at all."),
        ],
    ),
    row(
        Code::CfFlattened,
        "The zone's name servers are Cloudflare's. The name exists (NODATA, not NXDOMAIN) and yet has no CNAME, text or address; a name beside it that nobody made does not exist.",
        &[
            (
                Code::Absent,
                "there the name does not exist. Where only a record of a rare type stands at the name, it looks as if flattened.",
            ),
            (Code::CfProxied, "there Cloudflare's addresses stand at the name."),
        ],
    ),
    row(
        Code::WildcardSynth,
        "A name beside the record that nobody can have made, 32 chosen letters, gives the same answer. So a wildcard (*) makes both up.",
        &[
            (Code::WrongTarget, "there only the record's own name gives that answer."),
            (Code::WrongTypeAddress, "there only the record's own name has the address."),
        ],
    ),
    row(
        Code::WrongTypeTxt,
        "There is no CNAME at the name, but a TXT record whose text is the target, or a DKIM key.",
        &[(Code::Absent, "there the name holds no text that has to do with DKIM.")],
    ),
    row(
        Code::TxtKeyInline,
        "There is no CNAME at the name, but a TXT record whose text is a DKIM key (it has a p= tag).",
        &[(Code::WrongTypeTxt, "there the text is the name of the target.")],
    ),
    row(
        Code::WrongTypeAddress,
        "There is no CNAME at the name, but A or AAAA records. They are not Cloudflare's, and a name beside it that nobody made does not have them. Settings called ALIAS, ANAME, URL redirect or forwarding give this too.",
        &[
            (Code::CfProxied, "there all addresses are Cloudflare's own and so are the name servers."),
            (Code::WildcardSynth, "there every name has that address."),
        ],
    ),
    row(
        Code::WrongTypeUrlRedirect,
        "There is no CNAME at the name, but an address; it belongs to a service that forwards web pages, and a name beside it that nobody made does not have it.",
        &[
            (Code::WrongTypeAddress, "there the address is of no known forwarding service."),
            (Code::WildcardSynth, "there every name has that address."),
        ],
    ),
    row(
        Code::DnameAbove,
        "The answer to the record's question came with a DNAME record of a name above it, from which the CNAME was made.",
        &[
            (Code::WildcardSynth, "there a wildcard makes the answer up."),
            (Code::Indirect, "there a CNAME of its own stands at the name."),
        ],
    ),
    row(
        Code::MultipleCnames,
        "One answer holds two or more CNAME records for the name.",
        &[
            (Code::InconsistentServers, "there each server gives one, and not the same."),
            (Code::WrongTarget, "there is one CNAME, and it is wrong."),
        ],
    ),
    row(
        Code::CnameLoop,
        "The CNAME was followed from name to name, at the servers in charge of each, and came back to a name that was met before.",
        &[
            (Code::Indirect, "there the way ends at the right target."),
            (Code::WrongTarget, "there it ends at another name."),
        ],
    ),
    row(
        Code::HostDoubled,
        "There is nothing at the record's name. A CNAME with the right target stands at the same name with the domain once more at its end.",
        &[
            (Code::TargetZoneAppended, "there the domain was appended to the value, not to the host."),
            (Code::Absent, "there none of the usual misplaced names has the record."),
        ],
    ),
    row(
        Code::LabelMissing,
        "There is nothing at the record's name. A CNAME with the right target stands at the key's name of a domain above the sender domain.",
        &[
            (Code::SubzoneShadow, "there the part in between is a zone of its own with other name servers."),
            (Code::DomainkeyMissing, "there _domainkey is missing, and not the sub-domain."),
        ],
    ),
    row(
        Code::LabelExtra,
        "There is nothing at the record's name. A CNAME with the right target stands at the same name with a label of the domain twice, or with www.",
        &[
            (Code::HostDoubled, "there the whole domain stands twice."),
            (Code::LabelMissing, "there a label is missing."),
        ],
    ),
    row(
        Code::DomainkeyMissing,
        "There is nothing at the record's name. A CNAME with the right target stands at the same name without _domainkey.",
        &[
            (Code::UnderscoreStripped, "there the word is there without its underscore."),
            (Code::LabelMissing, "there the sub-domain is missing."),
        ],
    ),
    row(
        Code::UnderscoreStripped,
        "There is nothing at the record's name. A CNAME with the right target stands at the same name with domainkey for _domainkey.",
        &[(Code::DomainkeyMissing, "there the whole word is missing.")],
    ),
    row(
        Code::UnderscoreTypo,
        "There is nothing at the record's name. A CNAME with the right target stands at a name in which _domainkey is written otherwise or put elsewhere.",
        &[
            (Code::UnderscoreStripped, "there only the underscore is missing."),
            (Code::DomainkeyMissing, "there the whole word is missing."),
        ],
    ),
    row(
        Code::FieldsSwapped,
        "There is nothing at the record's name. A CNAME stands at the name of the target, within this zone, and points at the record's name.",
        &[
            (Code::TargetZoneAppended, "there the record stands at its own name."),
            (Code::Absent, "there no such record is found."),
        ],
    ),
    row(
        Code::TargetZoneAppended,
        "The CNAME's target is the right one with labels behind it that are the end of the domain or its zone.",
        &[
            (Code::HostDoubled, "there the domain was appended to the host, not to the value."),
            (Code::WrongTarget, "there the target does not begin with the right one."),
        ],
    ),
    row(
        Code::TargetDotEscaped,
        "On the wire, the last label of the CNAME's target ends with a dot that is a character of the name.",
        &[(Code::TargetZoneAppended, "there the zone follows behind the target.")],
    ),
    row(
        Code::ValueInvisible,
        "The CNAME's target has octets that are not plain letters, digits, hyphens and dots: blanks of special width, look-alike letters, or an encoded (xn--) label.",
        &[
            (Code::ValueQuoted, "there the additional characters can be seen."),
            (Code::TokenTruncated, "there all characters are plain, and some are missing."),
        ],
    ),
    row(
        Code::ValueUrl,
        "The CNAME's target holds http:, https: or a slash.",
        &[(Code::WrongTarget, "there the target is a plain name, and another one.")],
    ),
    row(
        Code::ValueQuoted,
        "The CNAME's target holds a quotation mark or a blank.",
        &[
            (Code::ValueInvisible, "there the additional characters cannot be seen."),
            (Code::TargetDotEscaped, "there the additional character is the dot at the end."),
        ],
    ),
    row(
        Code::ValueComma,
        "The CNAME's target holds a comma or a semicolon.",
        &[(Code::ValueTypeWord, "there a word stands in front of the name.")],
    ),
    row(
        Code::ValueTypeWord,
        "The CNAME's target begins with a word such as CNAME or a number, and the right target follows.",
        &[(Code::ValueQuoted, "there the value is the right one but for quotation marks and blanks.")],
    ),
    row(
        Code::WrongRegion,
        "The CNAME's target begins with this record's token and lies below the DKIM zone of another SES region.",
        &[
            (Code::TokenSwapped, "there the token is another one, in the right zone."),
            (Code::WrongProviderTarget, "there the target is not one of Amazon SES."),
        ],
    ),
    row(
        Code::TokenSwapped,
        "The CNAME's target is the right one for another of the three tokens.",
        &[
            (Code::WrongRegion, "there the token is right, and the zone is not."),
            (Code::WrongTarget, "there the token is none of the three."),
        ],
    ),
    row(
        Code::ByoCnameInstead,
        "The key's name was asked for TXT, and the answer is a CNAME that does not lead to the key.",
        &[(Code::ByoKeyMismatch, "there a TXT record stands at the name, with another key.")],
    ),
    row(
        Code::ByoMultipleTxt,
        "One answer holds two or more TXT records for the key's name.",
        &[(Code::ByoKeyMismatch, "there is one record, and it holds another key.")],
    ),
    row(
        Code::ByoEscapedSemicolon,
        "The text has a backslash in front of its semicolons, as master files write them and the DNS does not.",
        &[(Code::ByoKeySplitSpace, "there the additional characters stand within the key.")],
    ),
    row(
        Code::ByoKeyLowercased,
        "The key is the expected one but for capital letters, or, where no key is expected, it is so long that it would have some.",
        &[(Code::ByoKeyMismatch, "there other characters differ too.")],
    ),
    row(
        Code::ByoKeySplitSpace,
        "The key is the right one once blanks or quotation marks are taken out of it.",
        &[
            (Code::ByoKeyTruncated, "there the end is missing."),
            (Code::ByoEscapedSemicolon, "there backslashes stand in front of semicolons."),
        ],
    ),
    row(
        Code::ByoKeyTruncated,
        "The key is the beginning of the expected one, or ends amid what it announces to hold.",
        &[
            (Code::ByoKeyMismatch, "there it is another key from its start on."),
            (Code::ByoKeySplitSpace, "there it is whole, with blanks in it."),
        ],
    ),
    row(
        Code::ByoRevoked,
        "The record has an empty p= tag (RFC 6376 §3.6.1).",
        &[(Code::ByoKeyMismatch, "there a key stands in the record, and another one.")],
    ),
    row(
        Code::ByoWeak,
        "The key was read, and its modulus has fewer than 1024 bits (RFC 8301 §3.2).",
        &[(Code::ByoKeyTruncated, "there the key cannot be read to its end.")],
    ),
    row(
        Code::ByoKeyMismatch,
        "The one TXT record at the name holds a key that is not the expected one by any known slip, or no key at all.",
        &[
            (Code::ByoKeyTruncated, "there the expected key was cut."),
            (Code::ByoKeyLowercased, "there its capital letters are lost."),
            (Code::ByoRevoked, "there the key is empty."),
        ],
    ),
    row(
        Code::TokenTruncated,
        "The CNAME's target lies in the right zone, and its first label is nearly the token: some letters are missing or differ.",
        &[
            (Code::TokenSwapped, "there it is one of the other two tokens, whole."),
            (Code::TokenStale, "there it is a whole token of another set-up."),
        ],
    ),
    row(
        Code::TokenStale,
        "A record for a token of an earlier set-up was found, or the CNAME's target is a whole token that is none of the three.",
        &[
            (Code::TokenTruncated, "there the token is nearly one of today's."),
            (Code::TokenSwapped, "there it is another of today's three."),
            (Code::WrongRegion, "there the token is right, and the zone is not."),
        ],
    ),
    row(
        Code::WrongProviderTarget,
        "The CNAME's target ends with a name that another mail service uses for its own records.",
        &[
            (Code::WrongTarget, "there nobody known uses the target."),
            (Code::WrongRegion, "there the target is one of Amazon SES."),
        ],
    ),
    row(
        Code::WrongTarget,
        "All servers agree on one CNAME. Its target is not the expected one, none of the known mistakes explains it, and followed to its end it does not lead to the expected one.",
        &[
            (Code::WildcardSynth, "there a wildcard makes it up."),
            (Code::Indirect, "there it leads to the right target in the end."),
        ],
    ),
    row(
        Code::Absent,
        "All servers that answer say that there is no such record. No wildcard answers, nothing of another type explains it, and the names where such records are put by mistake do not have it either.",
        &[
            (Code::UnableToCheck, "there too few servers answer to say so."),
            (Code::HostDoubled, "there the record is found at a name with the domain twice."),
            (Code::SubzoneShadow, "there it is found in the zone above."),
        ],
    ),
    row(
        Code::Partial,
        "Of the three DKIM records at least one is right at all servers, and at least one is not.",
        &[(Code::InconsistentServers, "there one and the same record differs from server to server.")],
    ),
    row(
        Code::CnameAndOther,
        "The servers give the right CNAME, and to the question for another type at the same name that type's records without the CNAME.",
        &[
            (Code::MultipleCnames, "there two CNAMEs stand at the name."),
            (Code::InconsistentServers, "there the servers differ about the CNAME itself."),
        ],
    ),
    row(
        Code::WildcardShadowing,
        "A name beside the record that nobody made has a CNAME with this record's target: a wildcard answers, and it happens to be right.",
        &[(Code::WildcardSynth, "there the wildcard's answer is wrong.")],
    ),
    row(
        Code::SesTargetNxdomain,
        "The record is right at all servers. The servers of Amazon SES, asked for the target, say that there is no such name.",
        &[
            (Code::SesKeyAllEmpty, "there the targets exist and hold no key."),
            (Code::TokenStale, "there the record itself is of an earlier set-up."),
        ],
    ),
    row(
        Code::SesKeyAllEmpty,
        "The three records are right at all servers. The servers of Amazon SES, asked for each target, give no text with a key; that one or two are empty is normal.",
        &[(Code::SesTargetNxdomain, "there a target does not exist.")],
    ),
    row(
        Code::Indirect,
        "The CNAME was followed from name to name, at the servers in charge of each, and ends at the expected target.",
        &[(Code::WrongTarget, "there the way ends elsewhere."), (Code::CnameLoop, "there it does not end.")],
    ),
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
    row(
        Code::SpfMultiple,
        "Two or more TXT records at the name begin with the word v=spf1.",
        &[
            (Code::SpfSyntax, "there is one record, and it cannot be read."),
            (Code::InconsistentServers, "there each server has one, and not the same."),
        ],
    ),
    row(
        Code::SpfSyntax,
        "The one record that begins with v=spf1 was read by the grammar of RFC 7208; the column says where that ended.",
        &[(Code::SpfAbsent, "a record that does not begin with exactly v=spf1 is no SPF record at all.")],
    ),
    row(
        Code::SpfMissingInclude,
        "The SPF record, with all it includes and redirects to, was searched for amazonses.com.",
        &[
            (Code::SpfAbsent, "there is no SPF record."),
            (Code::SpfSyntax, "the record has the include, perhaps, and cannot be read."),
        ],
    ),
    row(
        Code::SpfAbsent,
        "All servers that answer say that no TXT record at the name begins with exactly v=spf1.",
        &[
            (Code::SpfSyntax, "there the record begins rightly and cannot be read further."),
            (Code::UnableToCheck, "there too few servers answer to say so."),
        ],
    ),
    row(
        Code::SpfTooManyLookups,
        "The record and all it includes and redirects to was walked, and its terms that ask the DNS (include, a, mx, ptr, exists, redirect) were counted: more than 10.",
        &[
            (Code::SpfVoid, "that counts only lookups that find nothing."),
            (Code::SpfLoop, "there an include leads back to a record that is being read."),
        ],
    ),
    row(
        Code::SpfLoop,
        "Following include and redirect led back to a record that was being read.",
        &[(Code::SpfTooManyLookups, "there the records do not lead back, and are too many.")],
    ),
    row(
        Code::SpfIncludeDead,
        "A name that the record includes or redirects to was asked for, and has no SPF record.",
        &[
            (Code::SpfVoid, "there lookups of other terms find nothing."),
            (Code::SpfSyntax, "there the included record cannot be read."),
        ],
    ),
    row(
        Code::SpfVoid,
        "The record and all it includes was walked; more than 2 of its lookups found no such name or no such record.",
        &[
            (Code::SpfTooManyLookups, "that counts all lookups."),
            (Code::SpfIncludeDead, "there an included name has no SPF record, which is an error at once."),
        ],
    ),
    row(
        Code::SpfPlusAll,
        "The last term of the record is +all, or all without a sign, which is the same.",
        &[(Code::SpfNeutralAll, "there it is ?all, which says nothing."), (Code::SpfNoAll, "there it is missing.")],
    ),
    row(
        Code::SpfTermsAfterAll,
        "Terms stand behind all in the record; a receiver never comes to them.",
        &[(Code::SpfRedirectWithAll, "there the term that is not reached is redirect=, wherever it stands.")],
    ),
    row(
        Code::SpfRedirectWithAll,
        "The record has both all and redirect=; a receiver that comes to all never comes to redirect.",
        &[(Code::SpfTermsAfterAll, "there other terms stand behind all.")],
    ),
    row(
        Code::SpfPtr,
        "The record, or one that it includes, has the term ptr.",
        &[(Code::SpfTooManyLookups, "ptr counts among the lookups, and can be what makes them too many.")],
    ),
    row(
        Code::SpfNeutralAll,
        "The last term of the record is ?all.",
        &[
            (Code::SpfPlusAll, "there everyone is allowed."),
            (Code::SpfNoAll, "there the term is missing, which means the same to receivers."),
        ],
    ),
    row(
        Code::SpfNoAll,
        "The record has neither all nor redirect=.",
        &[(Code::SpfNeutralAll, "there ?all says the same in so many words.")],
    ),
    row(
        Code::DmarcMultiple,
        "Two or more TXT records at the _dmarc name begin with v=DMARC1.",
        &[(Code::DmarcSyntax, "there is one record, and it cannot be used.")],
    ),
    row(
        Code::DmarcSyntax,
        "The one record at the _dmarc name was read by the grammar of RFC 9989 and has no policy that receivers can use.",
        &[(Code::DmarcAbsent, "a record that does not begin with v=DMARC1 is no DMARC record at all.")],
    ),
    row(
        Code::DmarcWrongPlace,
        "There is no DMARC record at the _dmarc name. A text that begins with v=DMARC1 stands at the domain itself, at dmarc without the underscore, or at the name with the domain twice.",
        &[
            (Code::DmarcAbsent, "there no such text is found at these names either."),
            (Code::DmarcInherited, "there a policy at a domain above applies, and is in its place."),
        ],
    ),
    row(
        Code::DmarcAbsent,
        "The names that a receiver asks (the tree walk of RFC 9989 §4.10: _dmarc in front of the domain and of those above it) were asked; none has a policy.",
        &[
            (Code::DmarcInherited, "there a domain above has a policy, and it applies."),
            (Code::DmarcSyntax, "there is a record that cannot be used."),
            (Code::UnableToCheck, "there too few servers answer to say so."),
        ],
    ),
    row(
        Code::DmarcStrictMisalign,
        "The policy has adkim=s or aspf=s, and the domain that signs or sends the mail is not the author's domain itself.",
        &[(Code::DmarcSyntax, "there the policy cannot be used at all.")],
    ),
    row(
        Code::DmarcRuaUnauthorised,
        "The report address lies in another organization's domain, and the name by which that one would say yes (the domain, ._report._dmarc. and the other domain) has no record that begins with v=DMARC1.",
        &[(Code::DmarcSyntax, "there the policy itself cannot be read.")],
    ),
    row(
        Code::DmarcWildcard,
        "A name beside _dmarc that nobody made gives the same text: a wildcard makes it up.",
        &[
            (Code::DmarcMultiple, "there several records stand at the very name."),
            (Code::DmarcAbsent, "there nothing answers."),
        ],
    ),
    row(
        Code::DmarcOldTags,
        "The policy was read by the grammar of RFC 9989 and has tags that only the older RFC 7489 knew.",
        &[(Code::DmarcSyntax, "there the record cannot be used; old tags do not hinder its use.")],
    ),
    row(
        Code::DmarcTestMode,
        "The policy has t=y, by which RFC 9989 has receivers apply one level less than it says.",
        &[(Code::DmarcOldTags, "pct was the older way to try a policy out.")],
    ),
    row(
        Code::DmarcCname,
        "The answer for the _dmarc name is a CNAME, and the policy stands where that leads.",
        &[
            (Code::DmarcWildcard, "there a wildcard answers at the name."),
            (Code::DmarcInherited, "there the policy of a domain above applies."),
        ],
    ),
    row(
        Code::DmarcPslDisagrees,
        "The tree walk of RFC 9989 and the public suffix list, by which older receivers go, name different organizational domains.",
        &[(Code::DmarcInherited, "there both agree on the domain above.")],
    ),
    row(
        Code::DmarcInherited,
        "The domain's own _dmarc name has no policy; the tree walk of RFC 9989 §4.10 found one at a domain above.",
        &[(Code::DmarcAbsent, "there no domain above has one either.")],
    ),
    row(
        Code::MailfromIsCname,
        "The MAIL FROM name was asked for MX and TXT, and answers with a CNAME.",
        &[(Code::MailfromMxAbsent, "there nothing stands at the name.")],
    ),
    row(
        Code::MxNull,
        "The only MX record is the one with preference 0 and the root (.) as host.",
        &[(Code::MxTargetDead, "there a host is named, and has no address.")],
    ),
    row(
        Code::MxZoneAppended,
        "The host of the MX record is the expected one with labels behind it that are the end of the domain or its zone.",
        &[
            (Code::MxForeign, "there the host belongs to another mail system."),
            (Code::MxTargetDead, "there the host is another one without address."),
        ],
    ),
    row(
        Code::MxIsIp,
        "The host of the MX record is an IP address written as a name.",
        &[(Code::MxTargetDead, "there it is a name, and has no address.")],
    ),
    row(
        Code::MailfromRegion,
        "The host of the MX record is that of Amazon SES for bounces in another region than the identity's.",
        &[(Code::MxForeign, "there it is not one of Amazon SES.")],
    ),
    row(
        Code::MailfromMxExtra,
        "The answer for the MAIL FROM name holds more than one MX record, that of Amazon SES among them.",
        &[(Code::MxForeign, "there that of Amazon SES is not among them.")],
    ),
    row(
        Code::MxIsCname,
        "The host of the MX record was asked for, and has a CNAME.",
        &[(Code::MxTargetDead, "there the host has neither CNAME nor address.")],
    ),
    row(
        Code::MxTargetDead,
        "The servers in charge of the MX record's host say that it has neither an IPv4 nor an IPv6 address.",
        &[
            (Code::MxZoneAppended, "there the host is the right one with the domain behind it."),
            (Code::MxNull, "there no host is named on purpose."),
        ],
    ),
    row(
        Code::MxForeign,
        "The host of the MX record is neither the expected one nor one of the known slips of it.",
        &[
            (Code::MxZoneAppended, "there the right host has the domain behind it."),
            (Code::MailfromRegion, "there the host is one of Amazon SES, of another region."),
        ],
    ),
    row(
        Code::MailfromMxAbsent,
        "All servers that answer say that the MAIL FROM name has no MX record.",
        &[
            (Code::MailfromIsCname, "there a CNAME stands at the name."),
            (Code::UnableToCheck, "there too few servers answer to say so."),
        ],
    ),
    row(
        Code::MxInboundAbsent,
        "All servers that answer say that the domain has no MX record and no address.",
        &[
            (Code::MxImplicitA, "there the domain has an address, to which mail goes."),
            (Code::UnableToCheck, "there too few servers answer to say so."),
        ],
    ),
    row(
        Code::MailfromSpfAbsent,
        "The MAIL FROM name has no SPF record, or one that does not lead to amazonses.com.",
        &[
            (Code::SpfAbsent, "that is about the sender domain itself."),
            (Code::SpfMissingInclude, "that is about the sender domain itself."),
        ],
    ),
    row(
        Code::MxImplicitA,
        "The domain has no MX record and does have an address, which is where mail goes then.",
        &[(Code::MxInboundAbsent, "there the domain has no address either.")],
    ),
    row(
        Code::CnameAtParent,
        "The sender domain itself was asked for, and has a CNAME.",
        &[
            (Code::CnameAndOther, "there other records stand beside the CNAME."),
            (Code::SpfAbsent, "that names the record that is missing because of it."),
        ],
    ),
    row(
        Code::TtlLong,
        "The time to live that the servers give with the record is a day or more.",
        &[(Code::InconsistentServers, "there the servers themselves still differ; here only others' memory is long.")],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_in_order_whole_sentences_and_told_apart_from_others() {
        let mut before = None;
        for (code, page) in PAGES {
            assert!(before.is_none_or(|before| before < *code), "{} is out of order or twice", code.as_str());
            before = Some(*code);
            assert!(page.how.ends_with('.') && page.how.starts_with(char::is_uppercase), "{}", code.as_str());
            assert!(!page.lookalikes.is_empty(), "{} looks like nothing else", code.as_str());
            for (other, apart) in page.lookalikes {
                assert_ne!(other, code);
                assert!(apart.ends_with('.') && apart.starts_with(char::is_lowercase), "{}: {apart}", code.as_str());
            }
        }
    }

    #[test]
    fn codes_without_a_page_are_listed() {
        let without: Vec<&str> =
            Code::ALL.iter().filter(|code| page(**code).is_none()).map(|code| code.as_str()).collect();
        println!("{} of {} codes have a page; without: {}", PAGES.len(), Code::ALL.len(), without.join(" "));
        assert_eq!(PAGES.len() + without.len(), Code::ALL.len());
        assert!(PAGES.len() >= KNOWN_PAGES, "a page got lost");
    }

    /// How many pages there are at least: a page is never taken away while its code is there.
    const KNOWN_PAGES: usize = 110;
}
