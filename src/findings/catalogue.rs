//! Everything that can be found, each code once.
//!
//! To add a check: a line here, a rule beside its kind in `findings/`, a scenario that expects it.
//! The order is the precedence of root causes: of two findings the earlier one explains the later.

use serde::Serialize;

pub use crate::findings::severity::Severity;

/// Declares the codes: variant, word, severity at its worst, meaning, remedy in general, source.
macro_rules! catalogue {
    ($($(#[doc = $doc:literal])* $name:ident $code:literal $severity:ident $meaning:literal $remedy:literal $source:literal;)*) => {
        /// What can be found, in order of precedence as a root cause.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// All codes, in order of precedence.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the word that reports use.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// Returns the severity at its worst; a rule may say less where only a part is hit.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),* }
            }

            /// Returns what it means, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning),* }
            }

            /// Returns what to do about it in general; the words for one case are made by `remedy`.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy),* }
            }

            /// Returns the standard or the behaviour that it rests on.
            #[must_use]
            pub fn source(self) -> &'static str {
                match self { $(Self::$name => $source),* }
            }
        }
    };
}

catalogue! {
    NotRegistered "not_registered" Error
        "The parent zone's servers say that the domain does not exist: it is not registered, expired, or on hold."
        "Register or renew the domain, or have its registrar lift the hold."
        "RFC 1034 §4.3.2";
    ExpiredParked "expired_parked" Error
        "The domain is parked: its name servers are those of a service for expired domains or domains for sale."
        "Renew or confirm the domain at its registrar, then set the name servers of the provider where its records are."
        "RFC 1034 §4.3.3";
    DelegationLoop "delegation_loop" Error
        "The addresses of the domain's name servers can only be learned from those name servers themselves."
        "Give glue at the registrar, or use name servers whose names lie in another domain."
        "RFC 1034 §4.2.1, RFC 9471";
    NsUnresolvable "ns_unresolvable" Error
        "A name server's name has no address."
        "Correct the name servers at the registrar: one is misspelled or gone."
        "RFC 1912 §2.8";
    NsAddressForbidden "ns_address_forbidden" Error
        "A name server's address is private, loopback or reserved, so that nobody outside can ask it."
        "Give the name server a public address, or use others."
        "RFC 6890";
    LameAll "lame_all" Error
        "The registrar's name servers all answer that they do not serve the domain."
        "Create the zone at the provider that the name servers belong to, or set the name servers of the provider where it is."
        "RFC 9499 §7, RFC 1912 §2.8";
    NsUnreachable "ns_unreachable" Error
        "A name server does not answer, over UDP or TCP."
        "Have the DNS provider repair the server, or take it out of the name servers at the registrar."
        "RFC 1912 §2.8, RFC 9520";
    RefusedByPolicy "refused_by_policy" Error
        "A name server serves the domain and refuses some questions: by a rule about who may ask what, or how much."
        "Have the DNS provider answer everybody's questions for the domain."
        "RFC 1035 §4.1.1";
    BudgetExceeded "budget_exceeded" Error
        "The domain's delegation wants more questions than a check may ask."
        "Simplify the delegation: fewer name servers, with glue, and shorter chains of aliases."
        "RFC 9520 §3.2";
    WrongProviderEdited "wrong_provider_edited" Error
        "The record stands at another provider's servers than those that the domain is delegated to."
        "Add the record at the provider that the name servers belong to, or set the name servers of the provider where it is."
        "RFC 1034 §4.2.1";
    DnssecBogusNoDnskey "dnssec_bogus_no_dnskey" Error
        "The DS record at the registrar names a key that the zone does not have, so that resolvers that check signatures refuse all of it."
        "Delete the DS record at the registrar, or switch DNSSEC on at the provider and enter its DS record."
        "RFC 4035 §5.2";
    DnssecExpiredSig "dnssec_expired_sig" Error
        "The signatures over the zone's keys or records have run out, so that resolvers that check signatures refuse all of the zone."
        "Have the zone signed again, or delete the DS record at the registrar until it is."
        "RFC 4035 §5.3.1";
    DnssecNotYetValid "dnssec_not_yet_valid" Error
        "The signatures over the zone's keys or records hold from a later time on only, so that resolvers that check signatures refuse them."
        "Have the clock of whoever signs the zone set right and the zone signed again, or delete the DS record at the registrar until it is."
        "RFC 4035 §5.3.1";
    DnssecBadSignature "dnssec_bad_signature" Error
        "A signature is not that of the records beside it: they were changed after the zone was signed, so that resolvers that check signatures refuse them."
        "Have the zone signed again, or delete the DS record at the registrar until it is."
        "RFC 4035 §5.3.3";
    DnssecMissingSignature "dnssec_missing_signature" Error
        "Keys or records of a signed zone have no signature by a key that the zone has, so that resolvers that check signatures refuse them."
        "Have the zone signed again and served by servers that give out its signatures, or delete the DS record at the registrar until it is."
        "RFC 4035 §5.3.1";
    DnssecMissingDenial "dnssec_missing_denial" Error
        "The signed zone does not prove that something is not there (a record, a closer name than a wildcard, or the keys of a zone below), so that resolvers that check signatures refuse the answer."
        "Have the zone signed again and served by servers that give out its NSEC or NSEC3 records, or delete the DS record at the registrar until it is."
        "RFC 4035 §5.4, RFC 5155 §8";
    UnableToCheck "unable_to_check" Error
        "Fewer than half of the authoritative servers gave an answer, so nothing is said about the record."
        "Check again later; if it stays so, have the DNS provider look at its servers."
        "RFC 8020, RFC 9520";
    InconsistentServers "inconsistent_servers" Warning
        "The domain's name servers give different answers."
        "Wait until all name servers have the change; if it stays so, have the DNS provider repair zone transfers."
        "RFC 1034 §4.3.5";
    SubzoneShadow "subzone_shadow" Error
        "The record was added in the parent zone, although the name lies in a zone of its own with other name servers."
        "Add the record in the zone below, at the provider of its name servers."
        "RFC 1034 §4.2.1";
    CfProxied "cf_proxied" Error
        "The record is proxied at Cloudflare, so that addresses stand where the CNAME should."
        "In Cloudflare, set the record's proxy status to DNS only."
        "Cloudflare, Proxy status";
    CfFlattened "cf_flattened" Error
        "The CNAME is flattened at Cloudflare, so that nothing is left of it."
        "In Cloudflare, switch CNAME flattening off for this record or for all records."
        "Cloudflare, CNAME flattening";
    WildcardSynth "wildcard_synth" Error
        "The record is not there; a wildcard answers in its place."
        "Add the record itself: it then takes precedence over the wildcard."
        "RFC 4592";
    WrongTypeTxt "wrong_type_txt" Error
        "The record is a TXT record that holds the text of the CNAME's target."
        "Delete the TXT record and add a CNAME with the same host."
        "RFC 1035 §3.3";
    TxtKeyInline "txt_key_inline" Error
        "The record is a TXT record that holds a key itself, where a CNAME should point at the key that Amazon SES keeps."
        "Delete the TXT record and add the CNAME: a copied key stops working when Amazon SES changes to the next one."
        "Amazon SES, Easy DKIM";
    WrongTypeAddress "wrong_type_address" Error
        "The name has an address record where a CNAME should be."
        "Delete the address record and add the CNAME."
        "RFC 1034 §3.6.2";
    WrongTypeUrlRedirect "wrong_type_url_redirect" Error
        "The record is the provider's URL redirect, which answers with the address of a web server."
        "Delete the redirect and add a CNAME with the same host."
        "RFC 1034 §3.6.2";
    DnameAbove "dname_above" Error
        "A DNAME above the record leads all names below it elsewhere, so that no record of its own can stand there."
        "Delete the DNAME, or add the record where it leads."
        "RFC 6672 §2.3";
    MultipleCnames "multiple_cnames" Error
        "The name has more than one CNAME, of which a resolver takes any or none."
        "Keep the right CNAME and delete the others."
        "RFC 2181 §10.1";
    CnameLoop "cname_loop" Error
        "The CNAME leads back to itself."
        "Point the CNAME straight at the target."
        "RFC 1034 §3.6.2";
    HostDoubled "host_doubled" Error
        "The record stands at a name with the domain twice: the panel appended the domain to a full name."
        "Enter only the part in front of the domain as host."
        "RFC 1035 §5.1";
    LabelMissing "label_missing" Error
        "The record stands at the parent domain: the subdomain's label was left out of the host."
        "Put the subdomain's label at the end of the host."
        "RFC 6376 §3.6.2.1";
    LabelExtra "label_extra" Error
        "The record stands at a name with a label too many: the subdomain twice, or a www that does not belong there."
        "Take the extra label out of the host."
        "RFC 6376 §3.6.2.1";
    DomainkeyMissing "domainkey_missing" Error
        "The record stands at a name without the label _domainkey."
        "Put ._domainkey behind the token in the host."
        "RFC 6376 §3.6.2.1";
    UnderscoreStripped "underscore_stripped" Error
        "The record stands at a name where _domainkey has lost its underscore."
        "Enter the host with its underscore; if the panel drops it, ask the provider or use another."
        "RFC 6376 §3.6.2.1, RFC 2181 §11";
    UnderscoreTypo "underscore_typo" Error
        "The record stands at a name in which _domainkey is misspelled or in the wrong place."
        "Enter the host with ._domainkey behind the token."
        "RFC 6376 §3.6.2.1";
    FieldsSwapped "fields_swapped" Error
        "Host and value were exchanged: the record stands at the target's name and points at the record's."
        "Delete it and add the record with host and value the other way round."
        "RFC 1034 §3.6.2";
    TargetZoneAppended "target_zone_appended" Error
        "The CNAME's target has the domain's own name at its end: the panel appended it."
        "End the value with a dot."
        "RFC 1035 §5.1";
    TargetDotEscaped "target_dot_escaped" Error
        "The final dot of the value was stored as a part of the name."
        "Enter the value without the dot at its end."
        "RFC 1035 §5.1";
    ValueInvisible "value_invisible" Error
        "The value has characters in it that cannot be seen, or that only look like the right letters."
        "Type the value by hand, or paste it as plain text."
        "RFC 1034 §3.5, RFC 5890 §2.3.2.1";
    ValueUrl "value_url" Error
        "The value is a web address where a host name should be."
        "Enter the host name alone, without http:// and without a slash."
        "RFC 1034 §3.5";
    ValueQuoted "value_quoted" Error
        "The value has quotation marks or blanks in it."
        "Enter the value without quotation marks and blanks."
        "RFC 1034 §3.5";
    ValueComma "value_comma" Error
        "The value has a comma or semicolon in it."
        "Enter the host name alone."
        "RFC 1034 §3.5";
    ValueTypeWord "value_type_word" Error
        "The value has the type, a preference or another word of the form in front of the name."
        "Enter the host name alone."
        "RFC 1035 §5.1";
    WrongRegion "wrong_region" Error
        "The CNAME points at the DKIM zone of another SES region."
        "Use the DKIM zone that SES names for this identity."
        "Amazon SES, SigningHostedZone";
    TokenSwapped "token_swapped" Error
        "The CNAME points at the target of another of the three tokens."
        "Exchange the values: each host goes with the value that starts with the same token."
        "Amazon SES, Easy DKIM";
    ByoCnameInstead "byo_cname_instead" Error
        "The name of the key has a CNAME where the TXT record with the key should be."
        "Delete the CNAME and add the TXT record."
        "Amazon SES, BYODKIM; RFC 6376 §3.6.2";
    ByoMultipleTxt "byo_multiple_txt" Error
        "The name of the key has more than one TXT record, of which a verifier takes any or none."
        "Keep the record with the key and delete the others."
        "RFC 6376 §3.6.2.2";
    ByoEscapedSemicolon "byo_escaped_semicolon" Error
        "The key record has backslashes in front of its semicolons: the panel kept them as a part of the text."
        "Enter the record without backslashes."
        "RFC 6376 §3.2";
    ByoKeyLowercased "byo_key_lowercased" Error
        "The key is in lower case, which makes another one of it."
        "Paste the key anew with its capital letters; if the panel folds them, ask the provider."
        "RFC 4648 §4";
    ByoKeySplitSpace "byo_key_split_space" Error
        "Blanks or quotation marks stand within the key, where its parts were put together."
        "Enter the key in one piece."
        "RFC 6376 §3.6.2.2";
    ByoKeyTruncated "byo_key_truncated" Error
        "The key ends too early: the panel or a copy cut it."
        "Enter the whole key; one of over 255 characters may have to be entered in several strings."
        "RFC 1035 §3.3.14";
    ByoRevoked "byo_revoked" Error
        "The key record is empty, which says that the key is not to be trusted any more."
        "Put the public key into the record."
        "RFC 6376 §3.6.1";
    ByoWeak "byo_weak" Error
        "The key is shorter than 1024 bits, so that verifiers do not take it."
        "Make a key of 2048 bits and publish that."
        "RFC 8301 §3.2";
    ByoKeyMismatch "byo_key_mismatch" Error
        "The record holds another key than the one that mail is signed with, or none."
        "Replace the record by the one for today's key."
        "RFC 6376 §3.6.1";
    TokenTruncated "token_truncated" Error
        "The value's token lost some of its letters, or has a slip in it."
        "Copy the whole value again."
        "Amazon SES, Easy DKIM";
    TokenStale "token_stale" Error
        "The record belongs to a previous set-up: its token is none of those that Amazon SES gives for this identity."
        "Replace the old records with the three of today."
        "Amazon SES, Easy DKIM";
    WrongProviderTarget "wrong_provider_target" Error
        "The CNAME points at another mail service's record."
        "Replace the value with the one from Amazon SES."
        "RFC 6376 §3.6.2.1";
    WrongTarget "wrong_target" Error
        "The CNAME points at a name that has nothing to do with what is expected."
        "Replace the value."
        "RFC 6376 §3.6.2.1";
    Absent "absent" Error
        "The record is not there, and nothing like it was found."
        "Add the record."
        "RFC 2308 §2";
    Partial "partial" Error
        "Some of the three DKIM records are right and others are not: signing may stop at the next rotation of keys."
        "Correct the others too; all three are needed."
        "Amazon SES, Easy DKIM";
    CnameAndOther "cname_and_other" Warning
        "Other records stand beside the CNAME, so that what is answered depends on the server."
        "Delete the other records with the same host."
        "RFC 1034 §3.6.2, RFC 1912 §2.4";
    WildcardShadowing "wildcard_shadowing" Warning
        "A wildcard answers with this record's target for every name, so that it is right for one token only."
        "Add the record itself and delete the wildcard."
        "RFC 4592";
    SesTargetNxdomain "ses_target_nxdomain" Warning
        "The record is right, but Amazon SES has nothing at its target."
        "Look in Amazon SES whether the identity is still there; one that is new may take some minutes."
        "Amazon SES, Easy DKIM";
    SesKeyAllEmpty "ses_key_all_empty" Warning
        "The records are right, but none of the three targets holds a key; one of them should."
        "Wait, and create the identity in Amazon SES anew if it stays so."
        "Amazon SES, Easy DKIM";
    Indirect "indirect" Warning
        "The CNAME leads to the target over other names."
        "Point the CNAME straight at the target."
        "RFC 1034 §3.6.2";
    LameSome "lame_some" Warning
        "Some of the registrar's name servers answer that they do not serve the domain."
        "Take them out of the name servers at the registrar, or set the zone up there."
        "RFC 9499 §7, RFC 1912 §2.8";
    CnameAtApex "cname_at_apex" Warning
        "The zone's own name has a CNAME, so that whatever else stands there may not be seen."
        "Delete the CNAME; use the provider's ALIAS or flattening, or address records."
        "RFC 1034 §3.6.2, RFC 1912 §2.4";
    GlueStale "glue_stale" Warning
        "The registrar gives other addresses for the zone's name servers than the zone itself."
        "Set the addresses of the name servers (host records) at the registrar to those in the zone."
        "RFC 1034 §4.2.2, RFC 9471";
    DnssecTooMuchWork "dnssec_too_much_work" Warning
        "So many keys or signatures of the zone may belong together that resolvers give up checking them."
        "Have the zone signed with a few keys, each with a number (key tag) of its own, and with one signature by each."
        "RFC 4035 §5.3.1; CVE-2023-50387 (KeyTrap)";
    DnssecManyIterations "dnssec_many_iterations" Warning
        "The zone hides its names behind hashes (NSEC3) that are repeated so often that resolvers take it for unsigned, or refuse it."
        "Have the zone signed with NSEC, or with NSEC3 without extra iterations and salt."
        "RFC 9276 §3.1-3.2";
    AnswerTooLarge "answer_too_large" Warning
        "There is so much at one name that receivers may give up reading it."
        "Delete what is no longer needed at that name."
        "RFC 7208 §3.4";
    BrokenTcp "broken_tcp" Warning
        "A name server cuts long answers and does not give them over TCP either."
        "Have the DNS provider let TCP through to its name servers."
        "RFC 7766 §5";
    BrokenEdns "broken_edns" Notice
        "A name server does not take EDNS, which today's resolvers ask with."
        "Have the DNS provider update the server."
        "RFC 6891 §7";
    Broken0x20 "broken_0x20" Notice
        "A name server repeats questions in other letters than they were asked in, so that careful resolvers take its answers for forged and ask again."
        "Have the DNS provider update the server."
        "RFC 5452 §9.1, draft-vixie-dnsext-dns0x20 §2";
    BrokenQmin "broken_qmin" Warning
        "A name server says that a name does not exist although there are records below it, which resolvers that ask label by label then do not find."
        "Have the DNS provider correct or update the server."
        "RFC 8020 §2, RFC 9156 §4";
    NoDelegationSubzone "no_delegation_subzone" Warning
        "Some name servers keep a zone of its own for the subdomain, which the zone above does not delegate."
        "Delete the zone of the subdomain, or delegate it with NS records in the zone above."
        "RFC 1034 §4.2";
    NsV6OnlyBroken "ns_v6_only_broken" Notice
        "A name server answers over one of IPv4 and IPv6 and is out of reach over the other."
        "Have the DNS provider repair the server's other address, or take the address out."
        "RFC 3901 §4, RFC 4472";
    DomainConnect "domain_connect" Info
        "The DNS provider takes records from other services by Domain Connect, so that nothing has to be typed."
        "Nothing has to be done; where a template for Amazon SES is offered there, one click adds the records."
        "Domain Connect, section 4";
    ParentChildNsMismatch "parent_child_ns_mismatch" Warning
        "The name servers at the registrar and those in the zone itself are not the same."
        "Make the two lists the same."
        "RFC 1034 §4.2.2, RFC 1912 §2.8";
    SpfMultiple "spf_multiple" Warning
        "The name has more than one SPF record, which receivers treat as an error."
        "Merge them into one record."
        "RFC 7208 §4.5";
    SpfLeadingSpaceOrQuote "spf_leading_space_or_quote" Warning
        "Blanks, quotation marks or marks that cannot be seen stand in front of the SPF record, so that it is none for receivers."
        "Enter the record so that it begins with v=spf1 and nothing in front."
        "RFC 7208 §4.5";
    SpfSplitWrong "spf_split_wrong" Warning
        "The SPF record was cut into pieces at a blank that was lost; receivers join them with nothing between."
        "Enter the record in one piece, or put the blank at the end of the piece in front of the cut."
        "RFC 7208 §3.3";
    SpfSyntax "spf_syntax" Warning
        "The SPF record cannot be read, which receivers treat as an error."
        "Correct the record."
        "RFC 7208 §4.6";
    SpfType99 "spf_type99" Warning
        "The SPF record has the type SPF, which nobody asks for any more, and there is no TXT record with it."
        "Add it as a TXT record and delete the one of type SPF."
        "RFC 7208 §3.1";
    SpfHostDoubled "spf_host_doubled" Warning
        "The SPF record stands at a name with the domain twice: the panel appended the domain to a full name."
        "Enter only the part in front of the domain as host."
        "RFC 1035 §5.1, RFC 7208 §4.4";
    SpfLabelMissing "spf_label_missing" Warning
        "The domain has no SPF record, and one with Amazon SES stands at the domain above: the subdomain's label may have been left out of the host."
        "Add one at the subdomain; leave the one above where mail is sent in its name too."
        "RFC 7208 §3, §4.4";
    SpfMissingInclude "spf_missing_include" Warning
        "The SPF record does not include amazonses.com."
        "Put include:amazonses.com into the record, in front of all."
        "RFC 7208 §5.2";
    SpfAbsent "spf_absent" Warning
        "The domain has no SPF record."
        "Add one that includes amazonses.com."
        "RFC 7208 §3";
    SpfTooManyLookups "spf_too_many_lookups" Warning
        "The SPF record and those that it includes need more than 10 DNS lookups, which receivers treat as an error."
        "Take out what no longer sends for the domain, or name its addresses with ip4 and ip6 in place of an include."
        "RFC 7208 §4.6.4";
    SpfLoop "spf_loop" Warning
        "The SPF record leads back to itself over its includes, which receivers treat as an error."
        "Take out the include or redirect that closes the circle."
        "RFC 7208 §4.6.4";
    SpfIncludeDead "spf_include_dead" Warning
        "The SPF record includes a domain that has no SPF record, which receivers treat as an error."
        "Take out that include, or correct the name in it."
        "RFC 7208 §5.2";
    SpfVoid "spf_void" Warning
        "More than 2 of the names in the SPF record lead to nothing, which receivers treat as an error."
        "Take out the names that are no longer there."
        "RFC 7208 §4.6.4";
    SpfPlusAll "spf_plus_all" Warning
        "The SPF record ends in +all, so that anyone may send for the domain."
        "End the record with ~all or -all."
        "RFC 7208 §5.1";
    SpfTermsAfterAll "spf_terms_after_all" Warning
        "The SPF record has terms behind all, which receivers never come to."
        "Put all at the end of the record."
        "RFC 7208 §5.1";
    SpfRedirectWithAll "spf_redirect_with_all" Warning
        "The SPF record has both all and redirect, so that the redirect has no effect."
        "Take one of the two out."
        "RFC 7208 §6.1";
    SpfPtr "spf_ptr" Notice
        "The SPF record uses ptr, which is slow, unreliable, and not to be used."
        "Name the senders with ip4, ip6, a or include in place of ptr."
        "RFC 7208 §5.5";
    SpfNeutralAll "spf_neutral_all" Notice
        "The SPF record ends in ?all, which says nothing about senders that it does not name."
        "End the record with ~all or -all."
        "RFC 7208 §5.1";
    SpfNoAll "spf_no_all" Notice
        "The SPF record ends in neither all nor redirect, so that it says nothing about senders that it does not name."
        "End the record with ~all or -all."
        "RFC 7208 §4.7";
    SpfAsCname "spf_as_cname" Notice
        "The domain is an alias (CNAME), so that its SPF record is that of the name it points at: whoever holds that name decides what it says, and nothing of its own can stand beside the alias."
        "Nothing has to be done; replace the CNAME by records of its own where the domain needs an MX or another TXT record."
        "RFC 1034 §3.6.2";
    SpfOnUnusedName "spf_on_unused_name" Info
        "The domain's SPF record is right, and no receiver of mail by Amazon SES reads it: bounces go to the custom MAIL FROM name, whose SPF record counts."
        "Nothing has to be done at the domain; what counts is the SPF record of the MAIL FROM name."
        "RFC 7208 §2.4; Amazon SES, Using a custom MAIL FROM domain";
    DmarcMultiple "dmarc_multiple" Warning
        "The name has more than one DMARC record, so that receivers use none."
        "Keep one."
        "RFC 9989 §4.10";
    DmarcSyntax "dmarc_syntax" Warning
        "The DMARC record cannot be used as it is."
        "Correct the record."
        "RFC 9989 §4.7";
    DmarcWrongPlace "dmarc_wrong_place" Warning
        "The DMARC record stands at a name where no receiver looks."
        "Move it to _dmarc in front of the domain."
        "RFC 9989 §4.10";
    DmarcAbsent "dmarc_absent" Warning
        "Neither the domain nor a domain above it has a DMARC policy."
        "Add one, which may start with p=none."
        "RFC 9989 §4.10";
    DmarcStrictMisalign "dmarc_strict_misalign" Error
        "The DMARC policy asks for exactly the author's domain, and the mail is signed or sent in the name of another one."
        "Use relaxed alignment (adkim=r, aspf=r), which takes the whole organization."
        "RFC 9989 §4.4";
    DmarcMisalign "dmarc_misalign" Error
        "The mail is signed or sent in the name of another organization than the author's, which does not count for DMARC."
        "Sign and send in the name of the author's domain, or of one in the same organization."
        "RFC 9989 §4.4, §4.10.2";
    DmarcRuaUnauthorised "dmarc_rua_unauthorised" Warning
        "DMARC reports are to go to another organization, which has not published that it takes them."
        "Have that organization publish its consent, or send the reports to an address of your own."
        "RFC 9990 §4";
    DmarcWildcard "dmarc_wildcard" Notice
        "A wildcard answers at the place of the DMARC policy."
        "Add a record at that very name: it then takes precedence over the wildcard."
        "RFC 4592";
    DmarcOldTags "dmarc_old_tags" Warning
        "The DMARC record has tags that the standard took away: pct, rf or ri."
        "Take them out; for a trial use t=y in place of pct."
        "RFC 9989 appendix C";
    DmarcTestMode "dmarc_test_mode" Notice
        "The DMARC policy is only being tried (t=y), so that receivers apply one that is a level milder."
        "Take t=y out once nothing of yours fails."
        "RFC 9989 §4.7";
    DmarcCname "dmarc_cname" Notice
        "The DMARC policy is an alias: whoever holds the target decides what it says."
        "Nothing has to be done; for a policy of its own replace the CNAME by a TXT record."
        "RFC 1034 §3.6.2";
    DmarcPslDisagrees "dmarc_psl_disagrees" Notice
        "Receivers that still go by the list of public suffixes look for the DMARC policy at another domain."
        "Add a policy at the domain itself, which all receivers find."
        "RFC 9989 §4.10.2, RFC 7489 §3.2";
    DmarcInherited "dmarc_inherited" Notice
        "The domain has no DMARC policy of its own and takes the one of a domain above it."
        "Nothing has to be done; add a policy of its own where another one is wanted."
        "RFC 9989 §4.10.1";
    MailfromIsCname "mailfrom_is_cname" Warning
        "The MAIL FROM name is a CNAME, beside which it can have no MX record and no SPF record of its own."
        "Delete the CNAME and add the MX and the TXT record."
        "RFC 1034 §3.6.2, RFC 2181 §10.1";
    MxNull "mx_null" Warning
        "The MX record says that the name takes no mail at all."
        "Delete it and add the MX record that Amazon SES needs."
        "RFC 7505 §3";
    MxZoneAppended "mx_zone_appended" Warning
        "The host in the MX record has the domain's own name at its end: the panel appended it."
        "End the value with a dot."
        "RFC 1035 §5.1";
    MxIsIp "mx_is_ip" Warning
        "The MX record holds an address where the name of a host should be."
        "Put the name of the host into it."
        "RFC 1035 §3.3.9, RFC 5321 §5.1";
    MailfromRegion "mailfrom_region" Warning
        "The MX record of the MAIL FROM name is that of another AWS region, whose bounces go astray."
        "Use the host of the region that the SES identity is in."
        "Amazon SES, Using a custom MAIL FROM domain";
    MailfromMxExtra "mailfrom_mx_extra" Warning
        "The MAIL FROM name has more than one MX record; Amazon SES wants exactly one."
        "Keep the one of Amazon SES and delete the others."
        "Amazon SES, Using a custom MAIL FROM domain";
    MxIsCname "mx_is_cname" Warning
        "The host in the MX record is an alias of the right one, which an MX record may not name."
        "Put the host itself into the MX record."
        "RFC 2181 §10.3";
    MxTargetDead "mx_target_dead" Warning
        "The host in the MX record has no address, so that mail goes nowhere."
        "Put the host of Amazon SES into the MX record."
        "RFC 5321 §5.1, RFC 1912 §2.5";
    MxForeign "mx_foreign" Warning
        "The MX record leads to another mail system, or to another AWS region."
        "Leave the mail of that system where it is and take in mail by a subdomain, or replace the record where nobody needs it."
        "RFC 5321 §5.1";
    MailfromMxAbsent "mailfrom_mx_absent" Warning
        "The MAIL FROM name has no MX record of its own, so that Amazon SES does not use it."
        "Add the MX record."
        "Amazon SES, Using a custom MAIL FROM domain";
    MxInboundAbsent "mx_inbound_absent" Warning
        "The domain has no MX record, so that its mail does not come to Amazon SES."
        "Add the MX record."
        "Amazon SES, Publishing an MX record for email receiving";
    MailfromSpfAbsent "mailfrom_spf_absent" Warning
        "The MAIL FROM name has no SPF record that names Amazon SES, so that SPF fails there."
        "Add the SPF record, or put include:amazonses.com into the one that is there."
        "Amazon SES, Using a custom MAIL FROM domain; RFC 7208 §2.4";
    MxImplicitA "mx_implicit_a" Notice
        "Without an MX record, mail for the domain goes to its own address."
        "Add the MX record; mail then no longer goes to that address."
        "RFC 5321 §5.1";
    CnameAtParent "cname_at_parent" Notice
        "The domain itself is an alias, so that it can have no SPF or MX record of its own."
        "Replace the CNAME by address records where the domain needs records of its own."
        "RFC 1034 §3.6.2";
    TtlLong "ttl_long" Notice
        "Resolvers may keep the record for a day or longer, and a mistake in it as well."
        "Set its time to live to an hour or less."
        "RFC 1912 §2.2";
}

impl Code {
    /// Finds a code by its word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl schemars::JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = Self::ALL.iter().map(|code| code.as_str()).collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

#[cfg(test)]
mod tests;
