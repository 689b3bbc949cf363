//! Records as machines read them: master file, Terraform, Route 53, Cloudflare.

use std::fmt::Write;

use serde::Serialize;

use super::{Content, Entry, Publication, strings};
use crate::dns::name::Name;
use crate::remedy::place::Place;

/// How long others may keep a record, in seconds: short, so that a mistake can be put right soon.
const TTL_SECONDS: u32 = 300;
/// The time to live that Cloudflare reads as "automatic".
const CLOUDFLARE_AUTOMATIC_TTL: u32 = 1;

/// Writes lines for a master file (RFC 1035 §5.1), which Cloudflare and others import; all names are absolute.
#[must_use]
pub fn bind(publication: &Publication) -> String {
    let mut text = String::new();
    let mut zone = None;
    for entry in &publication.entries {
        if zone != Some(&entry.place.zone) {
            zone = Some(&entry.place.zone);
            // Writing to a string does not end in an error.
            let _ = writeln!(text, "; In the zone {}", entry.place.zone);
        }
        if let Some(remark) = entry.remark() {
            let _ = writeln!(text, "; {remark}.");
        }
        let (name, kind, content) = (&entry.name, entry.content.record_type(), entry.content.to_presentation());
        let _ = writeln!(text, "{name}\t{TTL_SECONDS}\tIN\t{kind}\t{content}");
    }
    text
}

/// Writes Terraform resources: `cloudflare_record` for a zone at Cloudflare, else `aws_route53_record`.
///
/// The id of each zone is a variable, since the DNS does not tell it.
#[must_use]
pub fn terraform(publication: &Publication) -> String {
    let mut places: Vec<&Place> = publication.entries.iter().map(|entry| &entry.place).collect();
    places.dedup_by_key(|place| &place.zone);
    let mut blocks: Vec<String> = places
        .iter()
        .map(|place| {
            let zone = &place.zone;
            let about = hcl_string(&format!("The id of the zone {}", zone.to_text_without_dot()));
            let is_fitting = !place.is_known() || matches!(place.panel().id.as_str(), "cloudflare" | "route53");
            let remark = if is_fitting {
                String::new()
            } else {
                format!("# {} is served by {}; this is for Route 53.\n", zone.to_text_without_dot(), place.who())
            };
            remark
                + &format!(
                    "variable \"zone_id_{}\" {{\n  type        = string\n  description = {about}\n}}\n",
                    slug(zone)
                )
        })
        .collect();
    for (index, entry) in publication.entries.iter().enumerate() {
        let label = format!("{}_{}_{}", entry.kind.as_str(), slug(&publication.domain), index + 1);
        let comment = entry.remark().map(|remark| format!("# {remark}.\n")).unwrap_or_default();
        let write = if entry.place.panel().id == "cloudflare" { of_cloudflare } else { of_route53 };
        blocks.push(format!("{comment}{}", write(entry, &label)));
    }
    blocks.join("\n")
}

/// Writes a resource for Cloudflare.
fn of_cloudflare(entry: &Entry, label: &str) -> String {
    let (content, more) = match &entry.content {
        Content::Cname(target) => (target.to_text_without_dot(), "  proxied = false\n".to_owned()),
        Content::Txt(_) => (entry.content.to_presentation(), String::new()),
        Content::Mx { preference, host } => (host.to_text_without_dot(), format!("  priority = {preference}\n")),
    };
    format!(
        "resource \"cloudflare_record\" \"{label}\" {{\n  zone_id = var.zone_id_{}\n  name    = {}\n  type    = \"{}\"\n  \
         content = {}\n  ttl     = {CLOUDFLARE_AUTOMATIC_TTL}\n{more}}}\n",
        slug(&entry.place.zone),
        hcl_string(&entry.name.to_text_without_dot()),
        entry.content.record_type(),
        hcl_string(&content)
    )
}

/// Writes a resource for Route 53, whose provider sets the quotation marks around a text itself, though not those
/// between its strings.
fn of_route53(entry: &Entry, label: &str) -> String {
    let content = match &entry.content {
        Content::Cname(target) => target.to_text_without_dot(),
        Content::Txt(text) => strings(text).join("\" \""),
        Content::Mx { preference, host } => format!("{preference} {}", host.to_text_without_dot()),
    };
    format!(
        "resource \"aws_route53_record\" \"{label}\" {{\n  zone_id = var.zone_id_{}\n  name    = {}\n  type    = \"{}\"\n  \
         ttl     = {TTL_SECONDS}\n  records = [{}]\n}}\n",
        slug(&entry.place.zone),
        hcl_string(&entry.name.to_text_without_dot()),
        entry.content.record_type(),
        hcl_string(&content)
    )
}

/// Writes a string of HCL, in which nothing is put in place of `${` and `%{`.
pub(super) fn hcl_string(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace("%{", "%%{");
    format!("\"{text}\"")
}

/// Makes a word of a name that Terraform takes in a label.
fn slug(name: &Name) -> String {
    let is_plain =
        |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' };
    name.to_text_without_dot().chars().map(is_plain).collect()
}

/// A change batch of Route 53.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeBatch {
    /// What it is for.
    comment: String,
    /// The changes, all or none of which are made.
    changes: Vec<Change>,
}

/// One change.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    /// CREATE fails where there is such a record; UPSERT takes its place.
    action: &'static str,
    /// The records.
    resource_record_set: ResourceRecordSet,
}

/// The records with one name and type.
#[derive(Serialize)]
struct ResourceRecordSet {
    /// The owner name.
    #[serde(rename = "Name")]
    name: String,
    /// The type.
    #[serde(rename = "Type")]
    kind: String,
    /// How long others may keep them, in seconds.
    #[serde(rename = "TTL")]
    ttl: u32,
    /// What they hold.
    #[serde(rename = "ResourceRecords")]
    records: [ResourceRecord; 1],
}

/// What one record holds.
#[derive(Serialize)]
struct ResourceRecord {
    /// In presentation form.
    #[serde(rename = "Value")]
    value: String,
}

/// Writes a change batch for `aws route53 change-resource-record-sets`: the records of the main zone.
///
/// The keys take the place of what stands at their names, and so does the MX record of the MAIL FROM name, which may be
/// the only one. All else is only ever created, so that no policy that is there gets lost, and no mail goes where it did
/// not: where there is such a record, Route 53 refuses the whole batch.
#[must_use]
pub fn route53(publication: &Publication) -> String {
    let changes = publication.main_entries().map(|entry| Change {
        action: if entry.is_replacing() { "UPSERT" } else { "CREATE" },
        resource_record_set: ResourceRecordSet {
            name: entry.name.to_string(),
            kind: entry.content.record_type().to_string(),
            ttl: TTL_SECONDS,
            records: [ResourceRecord { value: entry.content.to_presentation() }],
        },
    });
    let comment = format!("Amazon SES records of {}", publication.domain.to_text_without_dot());
    json(&ChangeBatch { comment, changes: changes.collect() })
}

/// A batch of new records for Cloudflare.
#[derive(Serialize)]
struct Posts {
    /// The records, all or none of which are made.
    posts: Vec<Post>,
}

/// One new record.
#[derive(Serialize)]
struct Post {
    /// The type.
    #[serde(rename = "type")]
    kind: String,
    /// The owner name, without a final dot.
    name: String,
    /// What it holds.
    content: String,
    /// How long others may keep it.
    ttl: u32,
    /// The preference; of MX records only.
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u16>,
    /// Whether Cloudflare answers in its place, which must not be; only where it could be.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxied: Option<bool>,
}

/// Writes the body for Cloudflare's `POST /zones/ZONE_ID/dns_records/batch`: the records of the main zone, none proxied.
#[must_use]
pub fn cloudflare(publication: &Publication) -> String {
    let posts = publication.main_entries().map(|entry| Post {
        kind: entry.content.record_type().to_string(),
        name: entry.name.to_text_without_dot(),
        content: match &entry.content {
            Content::Cname(target) => target.to_text_without_dot(),
            Content::Txt(_) => entry.content.to_presentation(),
            Content::Mx { host, .. } => host.to_text_without_dot(),
        },
        priority: match &entry.content {
            Content::Mx { preference, .. } => Some(*preference),
            Content::Cname(_) | Content::Txt(_) => None,
        },
        ttl: CLOUDFLARE_AUTOMATIC_TTL,
        proxied: matches!(entry.content, Content::Cname(_)).then_some(false),
    });
    json(&Posts { posts: posts.collect() })
}

/// Writes JSON over several lines.
fn json(value: &impl Serialize) -> String {
    // Words and texts are always written.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
