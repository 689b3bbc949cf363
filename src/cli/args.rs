//! What can be typed: every command, argument and option once, with its help.

mod resolver;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::resolver::ResolverArguments;
use crate::bulk::Format;
use crate::cli::examples;
#[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
use crate::cli::fleet::args::{ReportArguments, TermArguments, WebhooksCommand, WorkerArguments};
#[cfg(feature = "ses")]
use crate::cli::ses::args::{SesArguments, SesCommand};
use crate::expectation::{Facts, RecordKind};

/// Proves from the authoritative DNS whether a sender domain is set up right, and says what to type where
#[derive(Debug, Parser)]
#[command(name = "zoneproof", version, max_term_width = 100, after_help = examples::ALL)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to use colours; NO_COLOR is heeded
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check one domain: how it stands, why, and what to type where
    #[command(after_help = examples::CHECK)]
    Check(CheckArguments),
    /// Check many domains, from CSV or JSON lines
    #[command(after_help = examples::BULK)]
    Bulk(BulkArguments),
    /// Say which DMARC policy applies to a domain, who publishes it, and what is wrong with it
    #[command(after_help = examples::DMARC)]
    Dmarc(DmarcArguments),
    /// Print what to publish for one domain: what to type at its DNS provider, or records for a program
    #[command(after_help = examples::RECORDS)]
    Records(RecordsArguments),
    /// Look one name and type up, from the root down
    #[command(after_help = examples::LOOKUP)]
    Lookup(LookupArguments),
    /// Evaluate the SPF record of a domain, and look it over
    #[command(after_help = examples::SPF)]
    Spf(SpfArguments),
    /// Say whether checks from this host can be trusted: UDP, TCP, IPv6, EDNS, and who it is that answers
    #[command(after_help = examples::DOCTOR)]
    Doctor(DoctorArguments),
    /// Explain what can be found: every code, its severity, meaning and remedy
    #[command(after_help = examples::FINDINGS)]
    Findings(FindingsArguments),
    /// Show an identity of Amazon SES, or have SES look for its records again
    #[cfg(feature = "ses")]
    #[command(after_help = examples::SES)]
    Ses {
        /// What to do.
        #[command(subcommand)]
        command: SesCommand,
    },
    /// Serve a small Internet on loopback, to try things on
    #[cfg(feature = "lab")]
    #[command(after_help = examples::LAB)]
    Lab(LabArguments),
    /// Keep the stored fleet's verification true: check what is due, for ever, with as many workers as there are
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    #[command(after_help = examples::WORKER)]
    Worker(WorkerArguments),
    /// Print the stored fleet: one page, or domain by domain
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    #[command(after_help = examples::REPORT)]
    Report(ReportArguments),
    /// Post what happens to the stored fleet to a URL, signed as Standard Webhooks says
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    #[command(after_help = examples::WEBHOOKS)]
    Webhooks {
        /// What to do.
        #[command(subcommand)]
        command: WebhooksCommand,
    },
    /// Print completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What `check` takes.
#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// The sender domain
    pub(crate) domain: String,
    /// A DKIM token of the domain's SES identity; three are needed, unless --lab or --replay knows the domain
    #[arg(long = "token", value_name = "TOKEN")]
    pub(crate) tokens: Vec<String>,
    /// The name below which the DKIM targets lie (SES: SigningHostedZone) [default: dkim.amazonses.com]
    #[arg(long, value_name = "NAME")]
    pub(crate) dkim_zone: Option<String>,
    /// What else is known of the domain.
    #[command(flatten)]
    pub(crate) known: KnownArguments,
    /// Whether Amazon SES is asked too.
    #[cfg(feature = "ses")]
    #[command(flatten)]
    pub(crate) ses: SesArguments,
    /// What the verdict depends on too
    #[arg(long, value_name = "KINDS", value_enum, value_delimiter = ',')]
    pub(crate) require: Vec<Requirement>,
    /// Print the report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Tell Cloudflare's proxied names by the networks in this file, one a line, instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) cloudflare_ranges: Option<PathBuf>,
    /// Write everything that servers said into a scenario, to replay later
    #[arg(long, value_name = "FILE.scn")]
    pub(crate) capture: Option<PathBuf>,
    /// Ask a scenario instead of the Internet; nothing is sent
    #[arg(long, value_name = "FILE.scn", conflicts_with = "capture")]
    #[cfg_attr(feature = "lab", arg(conflicts_with = "lab"))]
    pub(crate) replay: Option<PathBuf>,
    /// Start the built-in lab on loopback and ask it instead of the Internet
    #[cfg(feature = "lab")]
    #[arg(long)]
    pub(crate) lab: bool,
    /// How the DNS is asked.
    #[command(flatten)]
    pub(crate) resolver: ResolverArguments,
}

/// What else may be known of a domain.
#[derive(Args, Debug)]
pub(crate) struct KnownArguments {
    /// The AWS region of the SES identity, such as us-east-1; without it, the hosts of any region are right
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The custom MAIL FROM name, which lies below the domain: its MX and SPF records are checked too
    #[arg(long, value_name = "NAME")]
    pub(crate) mail_from: Option<String>,
    /// SES takes in the domain's mail: its MX record is checked too
    #[arg(long)]
    pub(crate) inbound: bool,
    /// The selector of bring-your-own DKIM; there are no tokens then
    #[arg(long, value_name = "SELECTOR", conflicts_with_all = ["tokens", "dkim_zone"])]
    pub(crate) selector: Option<String>,
    /// The public key of bring-your-own DKIM, in base64
    #[arg(long, value_name = "BASE64", requires = "selector")]
    pub(crate) public_key: Option<String>,
    /// A DKIM token of an earlier identity of the domain, to tell its records from others
    #[arg(long = "previous-token", value_name = "TOKEN")]
    pub(crate) previous_tokens: Vec<String>,
    /// A name server that the domain was delegated to before: records may have been added there by mistake
    #[arg(long = "previous-ns", value_name = "HOST")]
    pub(crate) previous_ns: Vec<String>,
    /// The DNS provider that you believe the records are at, by its id, such as cloudflare
    #[arg(long, value_name = "ID")]
    pub(crate) dns_provider: Option<String>,
}

/// What `bulk` takes.
#[derive(Args, Debug)]
pub(crate) struct BulkArguments {
    /// CSV with the header domain,token1,token2,token3 and optionally dkim_zone, region, mail_from, inbound, selector,
    /// public_key, previous_tokens, previous_ns, dns_provider and tenant (of use with --database), or JSON lines with these
    /// names; - is standard input
    pub(crate) file: Option<PathBuf>,
    /// Write the results here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How results are written [default: text on a terminal, csv where the output's name ends in .csv, else jsonl]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<FormatWord>,
    /// Write no results, only the summary at the end
    #[arg(long, conflicts_with_all = ["output", "format", "resume"])]
    pub(crate) summary_only: bool,
    /// Say at the end how often everything that is counted happened: what was sent, retried, refused or looked forged
    #[arg(long)]
    pub(crate) stats: bool,
    /// Go on with a run that was cut off: keep what the output holds, check the rest
    #[arg(long, requires = "output")]
    pub(crate) resume: bool,
    /// Whether Amazon SES is asked too.
    #[cfg(feature = "ses")]
    #[command(flatten)]
    pub(crate) ses: SesArguments,
    /// The AWS region of the identities, for rows that name none [default: that of AWS_REGION or the profile]
    #[cfg(feature = "ses")]
    #[arg(long, value_name = "REGION", requires = "ses")]
    pub(crate) region: Option<String>,
    /// What the verdicts depend on too; mx and mail_from count for the rows that tell of inbound and mail_from
    #[arg(long, value_name = "KINDS", value_enum, value_delimiter = ',')]
    pub(crate) require: Vec<Requirement>,
    /// Tell Cloudflare's proxied names by the networks in this file, one a line, instead of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) cloudflare_ranges: Option<PathBuf>,
    /// Keep the domains in this database, sqlite:PATH or postgres://USER@HOST/NAME: add those of FILE and check them, or
    /// else check what is due there; print what changed
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    #[arg(long, value_name = "URL", env = "ZONEPROOF_DATABASE", hide_env = true)]
    #[arg(conflicts_with_all = ["output", "format", "resume"])]
    pub(crate) database: Option<String>,
    /// How long a silent process counts as alive.
    #[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
    #[command(flatten)]
    pub(crate) term: TermArguments,
    /// Start the built-in lab on loopback and ask it instead of the Internet; without FILE, check its tenants
    #[cfg(feature = "lab")]
    #[arg(long)]
    pub(crate) lab: bool,
    /// How the DNS is asked.
    #[command(flatten)]
    pub(crate) resolver: ResolverArguments,
}

/// What `dmarc` takes.
#[derive(Args, Debug)]
pub(crate) struct DmarcArguments {
    /// The domain of the author (From:)
    pub(crate) domain: String,
    /// The custom MAIL FROM, to tell whether SPF aligns with the policy
    #[arg(long, value_name = "NAME")]
    pub(crate) mail_from: Option<String>,
    /// The domain that signs (DKIM d=), to tell whether the signature aligns with the policy [default: the domain]
    #[arg(long, value_name = "NAME")]
    pub(crate) signed_by: Option<String>,
    /// Print the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Ask the records in this JSON file instead of the Internet; nothing is sent
    #[arg(long, value_name = "FILE")]
    pub(crate) dns_fixture: Option<PathBuf>,
    /// How the DNS is asked.
    #[command(flatten)]
    pub(crate) resolver: ResolverArguments,
}

/// What `records` takes.
#[derive(Args, Debug)]
pub(crate) struct RecordsArguments {
    /// The sender domain
    pub(crate) domain: String,
    /// A DKIM token of the domain's SES identity; three are needed, unless --lab knows the domain
    #[arg(long = "token", value_name = "TOKEN")]
    pub(crate) tokens: Vec<String>,
    /// The name below which the DKIM targets lie (SES: SigningHostedZone) [default: dkim.amazonses.com]
    #[arg(long, value_name = "NAME")]
    pub(crate) dkim_zone: Option<String>,
    /// The AWS region of the SES identity, such as us-east-1, which the hosts in MX records belong to
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The custom MAIL FROM name, which lies below the domain: print its MX and SPF records too
    #[arg(long, value_name = "NAME")]
    pub(crate) mail_from: Option<String>,
    /// SES takes in the domain's mail: print its MX record too
    #[arg(long)]
    pub(crate) inbound: bool,
    /// The selector of bring-your-own DKIM, to print the TXT record with the key; there are no tokens then
    #[arg(long, value_name = "SELECTOR", conflicts_with_all = ["tokens", "dkim_zone"], requires = "public_key")]
    pub(crate) selector: Option<String>,
    /// The public key of bring-your-own DKIM, in base64
    #[arg(long, value_name = "BASE64", requires = "selector")]
    pub(crate) public_key: Option<String>,
    /// How the records are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = RecordsFormat::Text)]
    pub(crate) format: RecordsFormat,
    /// Write for this DNS provider, such as godaddy, and ask the DNS nothing
    #[arg(long, value_name = "ID")]
    pub(crate) provider: Option<String>,
    /// Leave out the SPF and DMARC records of the domain that are only suggested
    #[arg(long)]
    pub(crate) dkim_only: bool,
    /// Start the built-in lab on loopback and ask it instead of the Internet
    #[cfg(feature = "lab")]
    #[arg(long, conflicts_with = "provider")]
    pub(crate) lab: bool,
    /// How the DNS is asked.
    #[command(flatten)]
    pub(crate) resolver: ResolverArguments,
}

/// What `spf` takes.
#[derive(Args, Debug)]
pub(crate) struct SpfArguments {
    /// The domain whose record is evaluated
    pub(crate) domain: String,
    /// The address that a message comes from [default: any of Amazon SES, by include:amazonses.com]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Option<String>,
    /// What the sender says in HELO [default: the domain]
    #[arg(long, value_name = "NAME", requires = "ip")]
    pub(crate) helo: Option<String>,
    /// The sender in MAIL FROM; '' is the null reverse-path [default: postmaster at the domain]
    #[arg(long, value_name = "ADDRESS", requires = "ip")]
    pub(crate) mail_from: Option<String>,
    /// Print the result as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Take the DNS from a JSON file instead of the Internet: name -> list of {TYPE: value} or "TIMEOUT"
    #[arg(long, value_name = "FILE")]
    pub(crate) dns_fixture: Option<PathBuf>,
    /// How the DNS is asked.
    #[command(flatten)]
    pub(crate) resolver: ResolverArguments,
}

/// How records are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum RecordsFormat {
    /// For a person: what to type in which field at the domain's DNS provider
    Text,
    /// Lines of a zone file, which many providers import, Cloudflare among them
    Bind,
    /// Terraform: cloudflare_record for a domain at Cloudflare, else aws_route53_record
    Terraform,
    /// JSON for `aws route53 change-resource-record-sets --change-batch`
    Route53,
    /// JSON for Cloudflare's API: POST /zones/ZONE_ID/dns_records/batch
    Cloudflare,
}

/// What `lookup` takes.
#[derive(Args, Debug)]
pub(crate) struct LookupArguments {
    /// The name
    #[arg(required_unless_present = "batch")]
    pub(crate) name: Option<String>,
    /// The type, such as A, CNAME, TXT or TYPE65
    #[arg(required_unless_present = "batch", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Look up every line NAME TYPE of standard input; results come in the order of the lines
    #[arg(long, conflicts_with_all = ["name", "kind"])]
    pub(crate) batch: bool,
    /// Print the result as one JSON object on a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Show every question on the way, who was asked and what came back
    #[arg(long)]
    pub(crate) trace: bool,
    /// Start the built-in lab on loopback and ask it instead of the Internet
    #[cfg(feature = "lab")]
    #[arg(long)]
    pub(crate) lab: bool,
    /// How the DNS is asked.
    #[command(flatten)]
    pub(crate) resolver: ResolverArguments,
}

/// What `doctor` takes.
#[derive(Args, Debug)]
pub(crate) struct DoctorArguments {
    /// Print the result as a JSON array
    #[arg(long)]
    pub(crate) json: bool,
    /// Start the built-in lab on loopback and look at it instead of the Internet
    #[cfg(feature = "lab")]
    #[arg(long)]
    pub(crate) lab: bool,
    /// How the DNS is asked.
    #[command(flatten)]
    pub(crate) resolver: ResolverArguments,
}

/// What `findings` takes.
#[derive(Args, Debug)]
pub(crate) struct FindingsArguments {
    /// One code, to be explained in full
    pub(crate) code: Option<String>,
    /// Print JSON: an array, or one object for one code
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the whole catalogue as one page of Markdown
    #[arg(long, conflicts_with_all = ["code", "json"])]
    pub(crate) markdown: bool,
}

/// What `lab` takes.
#[cfg(feature = "lab")]
#[derive(Args, Debug)]
pub(crate) struct LabArguments {
    /// Scenarios to serve together [default: the built-in demo]
    #[arg(value_name = "FILE.scn")]
    pub(crate) files: Vec<PathBuf>,
    /// The port to serve at, over UDP and TCP
    #[arg(long, default_value_t = 5300, env = "ZONEPROOF_LAB_PORT", hide_env = true)]
    pub(crate) port: u16,
    /// The port of the lab's Amazon SES, over HTTP; 0 takes one that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) ses_port: u16,
    /// How many seconds of the SES's clock go by in a real one; 0 stops it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) ses_speed: u32,
    /// How many calls a second the SES takes that manage identities; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) ses_rate: u32,
    /// Serve the DNS alone, without an Amazon SES
    #[arg(long, conflicts_with_all = ["ses_port", "ses_rate", "ses_speed"])]
    pub(crate) no_ses: bool,
}

/// What the verdict may depend on too.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Requirement {
    /// The SPF policy
    Spf,
    /// The DMARC policy
    Dmarc,
    /// The MX record of a domain whose mail SES takes in
    Mx,
    /// The MX and SPF records of the custom MAIL FROM name
    #[value(name = "mail_from")]
    MailFrom,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum FormatWord {
    /// A report in JSON per line
    Jsonl,
    /// Flat CSV
    Csv,
    /// Text to read; --resume cannot go on from it
    Text,
}

impl KnownArguments {
    /// Puts what was typed into facts, in front of what stands there.
    pub(crate) fn fill(&self, facts: &mut Facts) {
        for (fact, typed) in [
            (&mut facts.region, &self.region),
            (&mut facts.mail_from, &self.mail_from),
            (&mut facts.selector, &self.selector),
            (&mut facts.public_key, &self.public_key),
            (&mut facts.dns_provider, &self.dns_provider),
        ] {
            if typed.is_some() {
                fact.clone_from(typed);
            }
        }
        facts.is_inbound |= self.inbound;
        facts.previous_tokens.extend_from_slice(&self.previous_tokens);
        facts.previous_ns.extend_from_slice(&self.previous_ns);
    }
}

impl Requirement {
    /// Returns the kinds of records that some requirements mean.
    pub(crate) fn kinds(requirements: &[Self]) -> Vec<RecordKind> {
        let kinds = |requirement: &Self| match requirement {
            Self::Spf => &[RecordKind::Spf][..],
            Self::Dmarc => &[RecordKind::Dmarc],
            Self::Mx => &[RecordKind::Mx],
            Self::MailFrom => &[RecordKind::MailFromMx, RecordKind::MailFromSpf],
        };
        requirements.iter().flat_map(kinds).copied().collect()
    }
}

impl From<FormatWord> for Format {
    fn from(word: FormatWord) -> Self {
        match word {
            FormatWord::Jsonl => Self::JsonLines,
            FormatWord::Csv => Self::Csv,
            FormatWord::Text => Self::Text,
        }
    }
}
