//! The hosts of Amazon SES that mail is exchanged with.

use crate::dns::name::Name;

/// What stands in the name of a host where the region is not known.
const ANY_REGION: &str = "REGION";
/// The preference that Amazon SES tells its users to give; any other works as well.
const PREFERENCE: u16 = 10;

/// Which hosts of Amazon SES.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Exchanger {
    /// Those that take in mail: `inbound-smtp.REGION.amazonaws.com`.
    Inbound,
    /// Those that take bounces: `feedback-smtp.REGION.amazonses.com`.
    Feedback,
}

/// An MX record for Amazon SES.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Exchange {
    /// Which hosts.
    pub exchanger: Exchanger,
    /// The region whose host it is to be; `None` where it is not known, and any will do.
    pub region: Option<String>,
}

impl Exchanger {
    /// Returns what stands in front of the region and behind it.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Inbound => ("inbound-smtp", "amazonaws.com"),
            Self::Feedback => ("feedback-smtp", "amazonses.com"),
        }
    }

    /// Returns the host of a region, without the final dot.
    #[must_use]
    pub fn host(self, region: &str) -> String {
        let (front, behind) = self.parts();
        format!("{front}.{region}.{behind}")
    }

    /// Returns the region whose host a name is; `None` where it is another name.
    #[must_use]
    pub fn region_of(self, host: &Name) -> Option<String> {
        let text = host.to_lowercase().to_text_without_dot();
        let (front, behind) = self.parts();
        let region = text.strip_prefix(front)?.strip_prefix('.')?.strip_suffix(behind)?.strip_suffix('.')?;
        is_region(region).then(|| region.to_owned())
    }
}

impl Exchange {
    /// Says whether a host is right: the one of the region, or where that is not known the one of any.
    #[must_use]
    pub fn is_met_by(&self, host: &Name) -> bool {
        let found = self.exchanger.region_of(host);
        found.is_some() && (self.region.is_none() || self.region == found)
    }

    /// Returns the host, with `REGION` in it where the region is not known.
    #[must_use]
    pub fn host(&self) -> String {
        self.exchanger.host(self.region.as_deref().unwrap_or(ANY_REGION))
    }

    /// Returns the preference of the record.
    #[must_use]
    pub fn preference(&self) -> u16 {
        PREFERENCE
    }

    /// Returns the data of the record, such as `10 feedback-smtp.us-east-1.amazonses.com.`.
    #[must_use]
    pub fn data(&self) -> String {
        format!("{PREFERENCE} {}.", self.host())
    }
}

/// Says whether a text has the form of an AWS region: `us-east-1`, `us-gov-west-1`.
pub(super) fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let Some((number, places)) = words.split_last() else { return false };
    let is_word = |word: &&str| (2..=12).contains(&word.len()) && word.bytes().all(|octet| octet.is_ascii_lowercase());
    (2..=4).contains(&places.len())
        && places.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|octet| octet.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_places_and_a_number() {
        for region in ["us-east-1", "ap-southeast-2", "us-gov-west-1", "il-central-1"] {
            assert!(is_region(region), "{region}");
        }
        for other in ["", "us", "us-east", "us-east-", "US-east-1", "us-east-1a", "us.east-1", "-east-1", "us-east-100"]
        {
            assert!(!is_region(other), "{other}");
        }
    }

    #[test]
    fn the_host_of_a_region_is_right_and_of_any_where_none_is_known() {
        let name = |text: &str| Name::parse(text).unwrap();
        let exchange =
            |region: Option<&str>| Exchange { exchanger: Exchanger::Feedback, region: region.map(str::to_owned) };
        for (region, host, is_right) in [
            (Some("us-east-1"), "feedback-smtp.us-east-1.amazonses.com", true),
            (Some("us-east-1"), "Feedback-SMTP.us-east-1.AmazonSES.com", true),
            (Some("us-east-1"), "feedback-smtp.eu-west-1.amazonses.com", false),
            (None, "feedback-smtp.eu-west-1.amazonses.com", true),
            (None, "inbound-smtp.eu-west-1.amazonaws.com", false),
            (None, "feedback-smtp.amazonses.com", false),
            (None, "feedback-smtp.eu-west-1.amazonses.com.example.com", false),
        ] {
            assert_eq!(exchange(region).is_met_by(&name(host)), is_right, "{region:?} {host}");
        }
        assert_eq!(exchange(Some("us-east-1")).data(), "10 feedback-smtp.us-east-1.amazonses.com.");
        assert_eq!(exchange(None).host(), "feedback-smtp.REGION.amazonses.com");
    }
}
