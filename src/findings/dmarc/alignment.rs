//! Whether the mail is signed and sent in the author's name, as a policy asks for it (RFC 9989 §4.4).
//!
//! Strict alignment wants the author's domain itself. Relaxed alignment takes every name of the same organization, which
//! the tree walk of each name tells (RFC 9989 §4.10.2).

use crate::dns::name::Name;
use crate::findings::catalogue::{Code, Severity};
use crate::findings::dmarc::around::Read;
use crate::findings::dmarc::told::{Told, about};
use crate::findings::finding::{Argument, Subject};
use crate::records::dmarc::{Alignment as Mode, DmarcRecord, Found, organizational_domain, tree_walk};

/// Who signs and who gets bounces, where that is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Legs<'a> {
    /// The domain that signs (DKIM `d=`); the author's own where SES has an identity for it.
    pub signed_by: Option<&'a Name>,
    /// The envelope's domain (SPF): the custom MAIL FROM.
    pub mail_from: Option<&'a Name>,
}

/// What comes of a leg under a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// It aligns.
    Aligned,
    /// There is none: SPF vouches for Amazon's own name, which aligns with nobody.
    Missing,
    /// It belongs to the organization, and the policy asks for the very domain.
    Strict,
    /// It belongs to another organization, which no policy lets pass.
    Foreign,
}

/// An author's domain, and the names that its mail is signed and sent in.
pub(super) struct Alignment<'a> {
    /// The domain.
    pub(super) author: &'a Name,
    /// The names.
    pub(super) legs: Legs<'a>,
    /// The author's organizational domain, where it is known.
    pub(super) organization: Option<&'a Name>,
    /// What stands along the author's tree walk.
    pub(super) found: &'a [&'a Found],
}

impl Alignment<'_> {
    /// Tells which leg a policy at `place` leaves out, and which one still stands: a warning while one does, an error where
    /// none is left. Empty where both align.
    ///
    /// Organizations are compared as far as `read` knows: what is not known is not held against a name.
    pub(super) fn judge(
        &self,
        subject: &Subject,
        place: &Name,
        record: &DmarcRecord,
        read: &mut Read<'_>,
    ) -> Vec<Told> {
        let signed_by = self.legs.signed_by.unwrap_or(self.author);
        let dkim = self.fate(signed_by, record.dkim_alignment, read);
        let spf = self.legs.mail_from.map_or(Fate::Missing, |name| self.fate(name, record.spf_alignment, read));
        let still_aligned = match (dkim, spf) {
            (Fate::Aligned, _) => "dkim",
            (_, Fate::Aligned) => "spf",
            _ => "none",
        };
        let tell = |code: Code, falls: Fate| {
            let leg = match (dkim == falls, spf == falls) {
                (false, false) => return None,
                (true, true) => "dkim and spf",
                (true, false) => "dkim",
                (false, true) => "spf",
            };
            let severity = if still_aligned == "none" { Severity::Error } else { Severity::Warning };
            let mut finding = about(code, subject, place)
                .with_severity(severity)
                .with("leg", Argument::Text(leg.to_owned()))
                .with("still_aligned", Argument::Text(still_aligned.to_owned()));
            if let Some(name) = self.legs.mail_from.filter(|_| spf == falls) {
                finding = finding.with("mail_from", Argument::Name(name.clone()));
            }
            if dkim == falls {
                finding = finding.with("signed_by", Argument::Name(signed_by.clone()));
            }
            if let Some(organization) = self.organization.filter(|_| falls == Fate::Foreign) {
                finding = finding.with("organizational_domain", Argument::Name(organization.clone()));
            }
            Some(Told { finding, read_at: vec![place.clone()] })
        };
        let told = [tell(Code::DmarcStrictMisalign, Fate::Strict), tell(Code::DmarcMisalign, Fate::Foreign)];
        told.into_iter().flatten().collect()
    }

    /// Says what comes of one leg.
    fn fate(&self, name: &Name, mode: Mode, read: &mut Read<'_>) -> Fate {
        if name == self.author {
            return Fate::Aligned;
        }
        match (self.organization, self.organization_of(name, read)) {
            (Some(own), Some(other)) if *own != other => Fate::Foreign,
            _ if mode == Mode::Strict => Fate::Strict,
            _ => Fate::Aligned,
        }
    }

    /// Finds the organizational domain of a name; `None` where a text is missing.
    fn organization_of(&self, name: &Name, read: &mut Read<'_>) -> Option<Name> {
        let mut found: Vec<Found> = Vec::new();
        for asked in tree_walk(name) {
            let known = self.found.iter().find(|known| known.name == asked).map(|known| Found::clone(known));
            // What is missing is left out, and all is read before anything is said, so that it is asked in one round.
            let Some(here) = known.or_else(|| read(&asked).map(|texts| Found::new(asked, texts))) else { continue };
            let is_end = here.ends_walk();
            found.push(here);
            if is_end {
                break;
            }
        }
        organizational_domain(name, &found.iter().collect::<Vec<_>>())
    }
}
