//! The pages of what is wrong with SPF, DMARC, MX and MAIL FROM, and of what stands beside all records.

use super::{Page, row};
use crate::findings::catalogue::Code;

/// Policies, then mail exchange, then what is worth knowing.
pub(super) const PAGES: &[(Code, Page)] = &[
    row(
        Code::SpfMultiple,
        "Two or more TXT records at the name begin with the word v=spf1.",
        &[
            (Code::SpfSyntax, "there is one record, and it cannot be read."),
            (Code::InconsistentServers, "there each server has one, and not the same."),
        ],
    ),
    row(
        Code::SpfLeadingSpaceOrQuote,
        "No TXT record at the name begins with v=spf1, and one does once the blanks, quotation marks and marks that cannot be seen in front are taken off.",
        &[
            (Code::SpfAbsent, "there nothing like an SPF record stands at the name."),
            (Code::SpfSyntax, "there the record begins with v=spf1 and breaks further on."),
        ],
    ),
    row(
        Code::SpfSplitWrong,
        "The TXT record stands in several strings. Put together as receivers do it, with nothing between, they are no SPF record or a wrong one; with a blank between they are a right one.",
        &[(Code::SpfSyntax, "there a blank between the strings does not help, or there is only one string.")],
    ),
    row(
        Code::SpfSyntax,
        "The one record that begins with v=spf1 was read by the grammar of RFC 7208; the column says where that ended.",
        &[(Code::SpfAbsent, "a record that does not begin with exactly v=spf1 is no SPF record at all.")],
    ),
    row(
        Code::SpfType99,
        "No TXT record at the name is an SPF record; the servers have one of type SPF (99) there.",
        &[(Code::SpfAbsent, "there the servers have none of that type either.")],
    ),
    row(
        Code::SpfHostDoubled,
        "The name has no SPF record. One that includes amazonses.com stands at the name with the domain twice, and not at a name beside it that nobody made.",
        &[
            (Code::SpfAbsent, "there none stands at that name either."),
            (Code::SpfLabelMissing, "there one stands at the domain above."),
        ],
    ),
    row(
        Code::SpfLabelMissing,
        "The name has no SPF record. One that includes amazonses.com stands at a domain above, which may be that one's own.",
        &[
            (Code::SpfAbsent, "there the domains above have none that names Amazon SES."),
            (Code::SpfHostDoubled, "there one stands at the name with the domain twice."),
        ],
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
        Code::SpfAsCname,
        "The answer for the domain's texts is a CNAME, and an SPF record that names Amazon SES stands where that leads.",
        &[
            (Code::CnameAtParent, "there the domain is an alias too, and where it leads is no such record."),
            (Code::CnameAtApex, "there the alias is the name of the zone itself."),
            (Code::MailfromIsCname, "that is about the MAIL FROM name."),
        ],
    ),
    row(
        Code::SpfOnUnusedName,
        "The domain's SPF record is right, and whoever asked for the check named a custom MAIL FROM name, which lies below the domain. Told at full depth only.",
        &[(Code::MailfromSpfAbsent, "that is about the SPF record that counts.")],
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
        &[
            (Code::DmarcSyntax, "there the policy cannot be used at all."),
            (Code::DmarcMisalign, "there relaxed alignment does not help either."),
        ],
    ),
    row(
        Code::DmarcMisalign,
        "The tree walk of RFC 9989 §4.10, from the author's domain and from the one that signs or sends the mail, ends at different organizational domains. It is an error where neither the signature nor the sending counts, and a warning while one of the two does.",
        &[(
            Code::DmarcStrictMisalign,
            "there both belong to one organization, and the policy asks for the very domain.",
        )],
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
