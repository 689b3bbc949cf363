//! The pages of what is wrong with DKIM records.

use super::{Page, row};
use crate::findings::catalogue::Code;

/// DKIM records, the wrong ones first.
pub(super) const PAGES: &[(Code, Page)] = &[
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
];
