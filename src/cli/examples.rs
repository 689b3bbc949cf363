//! The examples at the end of every command's help.

/// Of the program.
pub(super) const ALL: &str = "\
Examples:
  zoneproof check mail.example.com --token abc1 --token abc2 --token abc3
  zoneproof bulk tenants.csv -o results.jsonl
  zoneproof bulk --lab

Results go to standard output, everything else to standard error. `zoneproof COMMAND --help` has
more examples and the exit codes.";

/// Of `check`.
pub(super) const CHECK: &str = "\
Examples:
  zoneproof check mail.example.com --token abc1 --token abc2 --token abc3
  zoneproof check mail.example.com --token abc1 --token abc2 --token abc3 --require spf,dmarc --json
  zoneproof check mail.example.com --token abc1 --token abc2 --token abc3 --capture case.scn
  zoneproof check mail.example.com --replay case.scn
  zoneproof check mail.example.com --ses --region eu-west-1

With --ses, tokens, MAIL FROM and state come from Amazon SES: credentials, profile, region and
endpoint the AWS way (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL_SESV2, ~/.aws). It changes neither
the verdict nor the exit code.

Exit code: 0 ready, 1 not ready, 3 could not be checked, 2 the check was not possible (one line on
standard error says why).";

/// Of `bulk`.
pub(super) const BULK: &str = "\
Examples:
  zoneproof bulk tenants.csv -o results.jsonl
  zoneproof bulk tenants.csv -o results.jsonl --resume
  zoneproof bulk tenants.jsonl --format csv > results.csv
  zoneproof bulk --lab | head -1
  zoneproof bulk domains.csv --ses -o results.jsonl
  zoneproof bulk tenants.csv --database sqlite:fleet.db

One line per row of the input, in order of completion, each with its row; a row that cannot be read
is {\"schema\":1,\"row\":N,\"error\":\"...\"} and a line on standard error. Other columns are ignored, and
named once. Beside the output lies OUTPUT.resume, which --resume needs: it drops a torn last line,
skips the rows that are there, and refuses an input that has changed. Ctrl-C stops and prints the
command that goes on.

With --ses, rows need only domain (and region where the identities are in several); tokens, MAIL
FROM and state come from Amazon SES, one call a row, one call a second unless --ses-qps says
otherwise. A row whose identity cannot be read is checked with its own tokens, and is a bad row
without.

Columns of CSV: row, domain, checked_at, verdict, root_cause, provider, zone, dkim1, dkim2, dkim3,
spf, dmarc (each ok, or the code of what is not right), errors, warnings (counts), codes, fix,
ses, ses_dkim_status, ses_sending, ses_sentence (empty without --ses), questions, elapsed_ms, error.
A cell that begins with = + - @, a tab or a carriage return has a ' in front.

Exit code: 2 if the run was not possible or a row was bad, else 1 if a domain is not ready, else 3
if one could not be checked, else 0; 130 after Ctrl-C. After a closed pipe (| head) that of the
rows done until then.";

/// Of `dmarc`.
pub(super) const DMARC: &str = "\
Examples:
  zoneproof dmarc mail.example.com
  zoneproof dmarc mail.example.com --mail-from bounce.mail.example.com --json
  zoneproof dmarc mail.example.com --dns-fixture records.json --json

The fixture names every record: {\"_dmarc.example.com\": [{\"TXT\": \"v=DMARC1; p=reject\"}]}; what it
does not name does not exist, and \"TIMEOUT\" in a list is a server that does not answer. In JSON the
policy is the effective one (p, sp or np; a level milder with t=y), or null where there is none, and
where it could not be read: then the findings have unable_to_check.

Exit code: 0 whatever the DNS says, a failure included; 3 if a name cannot be read; 2 if the lookup
was not possible.";

/// Of `records`.
pub(super) const RECORDS: &str = "\
Examples:
  zoneproof records mail.example.com --token abc1 --token abc2 --token abc3
  zoneproof records mail.example.com --token abc1 --token abc2 --token abc3 --provider godaddy
  zoneproof records mail.example.com --token abc1 --token abc2 --token abc3 --format bind
  zoneproof records mail.example.com --token abc1 --token abc2 --token abc3 \\
    --format route53 --dkim-only > batch.json
  zoneproof records mail.example.com --token abc1 --token abc2 --token abc3 \\
    --region us-east-1 --mail-from bounce.mail.example.com --inbound
  zoneproof records mail.example.com --selector s1 --public-key MIIBIjANBg...
  aws route53 change-resource-record-sets --hosted-zone-id ZONE_ID --change-batch file://batch.json

The DNS is asked who serves the domain and nothing else; whether a record is there already is not
looked at. SPF and DMARC are suggestions: where the domain has such a record, change that one.
route53 and cloudflare are for one zone: a record that lies in another is left out, and named on
standard error.

Exit code: 0; 2 if it was not possible.";

/// Of `lookup`.
pub(super) const LOOKUP: &str = "\
Examples:
  zoneproof lookup example.com MX
  zoneproof lookup abc1._domainkey.mail.example.com CNAME --trace
  printf 'example.com NS\\nexample.net TXT\\n' | zoneproof lookup --batch --json

Exit code: 0 whatever the DNS says, a failure included; 3 if a name or type cannot be read; 2 if the
lookup was not possible.";

/// Of `spf`.
pub(super) const SPF: &str = "\
Examples:
  zoneproof spf example.com
  zoneproof spf example.com --ip 192.0.2.1 --helo mail.example.net --mail-from user@example.com --json
  zoneproof spf example.com --ip 192.0.2.1 --mail-from '' --dns-fixture dns.json

Without --ip: would a message from Amazon SES pass here? That is whether include:amazonses.com is
reached; which addresses Amazon uses is not looked at.

Exit code: 0 whatever the DNS says, a failure included; 3 if an argument cannot be read; 2 if the
evaluation was not possible.";

/// Of `findings`.
pub(super) const FINDINGS: &str = "\
Examples:
  zoneproof findings
  zoneproof findings host_doubled
  zoneproof findings --json";

/// Of `doctor`.
pub(super) const DOCTOR: &str = "\
Examples:
  zoneproof doctor
  zoneproof doctor --root-hints named.root --json

One line for each of: UDP and TCP to port 53, IPv6, EDNS, and whether the servers themselves answer.
To see whether something answers in their place, one datagram goes to 203.0.113.53, which is set
aside for documentation and nobody has.

Exit code: 0 checks from here can be trusted, 3 they cannot, 2 nothing could be looked at.";

/// Of `lab`.
#[cfg(feature = "lab")]
pub(super) const LAB: &str = "\
Examples:
  zoneproof lab
  zoneproof lab case.scn --port 5301 --ses-port 5302 --ses-speed 3600

It serves until Ctrl-C, and says how to ask it.";

/// Of `worker`.
#[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
pub(super) const WORKER: &str = "\
Examples:
  zoneproof worker --database sqlite:fleet.db
  zoneproof worker --database postgres://zoneproof@db.example.com/zoneproof --ses --region eu-west-1
  zoneproof worker --database sqlite:fleet.db --once

It prints what changes, a line each, and runs until Ctrl-C or a request to end: then what is under
way is finished or let go of within 20 seconds; a second signal ends it at once. Any number may work
on one PostgreSQL database; each asks the name servers of other operators. Domains are added by
`zoneproof bulk FILE --database URL`.

Exit code: 0; 2 if it was not possible.";

/// Of `report`.
#[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
pub(super) const REPORT: &str = "\
Examples:
  zoneproof report --database sqlite:fleet.db
  zoneproof report --database sqlite:fleet.db --format csv > fleet.csv
  zoneproof report --database sqlite:fleet.db --format jsonl --state degraded

Columns of CSV: id, tenant, domain, state (pending, verified, degraded, lost), verdict, root_cause,
provider, verified_at, last_checked_at, due_at, ses_sending. JSON has the last report besides.

Exit code: 0; 2 if it was not possible.";

/// Of `webhooks`.
#[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
pub(super) const WEBHOOKS: &str = "\
Examples:
  zoneproof webhooks add https://hooks.example.com/zoneproof --database sqlite:fleet.db
  zoneproof webhooks list --database sqlite:fleet.db
  zoneproof webhooks dead --database sqlite:fleet.db
  zoneproof webhooks replay --database sqlite:fleet.db

A worker posts each event (domain.verified, domain.degraded, domain.lost, domain.recovered) as JSON
with the headers webhook-id, webhook-timestamp and webhook-signature. What is not taken with 2xx is
posted again, ten times over three days, then it is dead. A message may come twice, with the same id.

Exit code: 0; 2 if it was not possible.";

/// Of `webhooks add`.
#[cfg(all(feature = "serve", any(feature = "postgres", feature = "sqlite")))]
pub(super) const WEBHOOKS_ADD: &str = "\
Examples:
  zoneproof webhooks add https://hooks.example.com/zoneproof --database sqlite:fleet.db
  zoneproof webhooks add https://hooks.example.com/acme --tenant acme --on degraded,lost \\
    --database sqlite:fleet.db

The secret is shown once; libraries for Standard Webhooks take it as it is.";

/// Of `completions`.
pub(super) const COMPLETIONS: &str = "\
Examples:
  zoneproof completions bash > ~/.local/share/bash-completion/completions/zoneproof
  zoneproof completions zsh > \"${fpath[1]}/_zoneproof\"
  zoneproof completions fish > ~/.config/fish/completions/zoneproof.fish";

/// Of `ses`.
#[cfg(feature = "ses")]
pub(super) const SES: &str = "\
Examples:
  zoneproof ses show mail.example.com --region eu-west-1
  zoneproof ses restart mail.example.com

Credentials, profile, region and endpoint come the AWS way: AWS_PROFILE, AWS_REGION,
AWS_ENDPOINT_URL_SESV2, ~/.aws.";

/// Of `ses show`.
#[cfg(feature = "ses")]
pub(super) const SES_SHOW: &str = "\
Examples:
  zoneproof ses show mail.example.com
  zoneproof ses show mail.example.com --region eu-west-1 --json

Exit code: 0 whatever the identity's state is; 1 if there is no such identity in the region; 2 if
Amazon SES could not be asked.";

/// Of `ses restart`.
#[cfg(feature = "ses")]
pub(super) const SES_RESTART: &str = "\
Examples:
  zoneproof ses restart mail.example.com
  zoneproof ses restart mail.example.com --private-key key.pem
  zoneproof ses restart mail.example.com --discard-tokens

Amazon SES looks for DKIM records for 72 hours and then gives up. This tells it once more how to
sign, which starts the 72 hours anew and keeps the tokens. A verified identity is left alone.

Exit code: 0 done, or nothing to do; 1 if there is no such identity in the region; 2 if it was not
possible.";
