//! AWS regions as Amazon SES knows them: how they are written, where their DKIM keys live, and what a copy of one is called.

/// The zone of the DKIM keys of most regions.
const DKIM_ZONE: &str = "dkim.amazonses.com";
/// Regions whose DKIM keys live in a zone of their own (AWS General Reference, DKIM domains of Amazon SES).
const OWN_DKIM_ZONE: &[&str] = &[
    "af-south-1",
    "ap-northeast-3",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "il-central-1",
    "me-central-1",
    "us-gov-east-1",
];
/// Regions that a replica can have its parent in (`DkimSigningAttributesOrigin` of the service model).
const PARENTS: &[&str] = &[
    "af-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];
/// What stands in front of the parent's region in the origin of a replica.
const REPLICA: &str = "AWS_SES_";

/// Says whether a text is written as regions are, such as `eu-west-1`.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let is_number =
        parts.next().is_some_and(|part| part.len() == 1 && part.bytes().all(|octet| octet.is_ascii_digit()));
    let words: Vec<&str> = parts.collect();
    is_number
        && words.len() >= 2
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_lowercase()))
}

/// Returns the zone that the DKIM keys of a region live in.
pub(super) fn dkim_zone(region: &str) -> String {
    if OWN_DKIM_ZONE.contains(&region) { format!("dkim.{region}.amazonses.com") } else { DKIM_ZONE.to_owned() }
}

/// Returns the region that has this zone for itself.
pub(super) fn owner_of_zone(zone: &str) -> Option<&'static str> {
    let zone = zone.trim_end_matches('.');
    OWN_DKIM_ZONE.iter().copied().find(|region| dkim_zone(region).eq_ignore_ascii_case(zone))
}

/// Reads the parent's region from the origin of a replica, such as `AWS_SES_EU_WEST_1`.
pub(super) fn parent_of_origin(origin: &str) -> Option<&'static str> {
    let region = origin.strip_prefix(REPLICA)?.to_ascii_lowercase().replace('_', "-");
    PARENTS.iter().copied().find(|parent| *parent == region)
}

/// Returns the origin of a replica whose parent lives in this region.
pub(super) fn replica_origin(parent: &str) -> String {
    format!("{REPLICA}{}", parent.to_ascii_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_region_shaped_words_are_regions() {
        for text in PARENTS.iter().chain(OWN_DKIM_ZONE) {
            assert!(is_region(text), "{text}");
        }
        for text in ["", "eu", "eu-west", "eu-1", "eu-west-11x", "EU-WEST-1", "eu--1", "-west-1", "eu-west-1/ses"] {
            assert!(!is_region(text), "{text}");
        }
    }

    #[test]
    fn zones_belong_to_the_regions_that_have_their_own() {
        assert_eq!(dkim_zone("eu-west-1"), "dkim.amazonses.com");
        assert_eq!(dkim_zone("eu-south-1"), "dkim.eu-south-1.amazonses.com");
        assert_eq!(owner_of_zone("DKIM.eu-south-1.amazonses.com."), Some("eu-south-1"));
        assert_eq!(owner_of_zone("dkim.amazonses.com"), None);
    }

    #[test]
    fn origins_of_replicas_read_back() {
        for parent in PARENTS {
            assert_eq!(parent_of_origin(&replica_origin(parent)), Some(*parent));
        }
        for origin in ["AWS_SES", "EXTERNAL", "AWS_SES_", "AWS_SES_MARS_NORTH_1", "SES_EU_WEST_1"] {
            assert_eq!(parent_of_origin(origin), None, "{origin}");
        }
    }
}
