#!/usr/bin/env python3
"""Holds `zoneproof dmarc` against checkdmarc on generated zones that both read from the same records.

Usage: checkdmarc_agreement.py ZONEPROOF [--zones N] [--seed N] [--show]

Every zone has a label that says what is peculiar in it. Both programs say which domain's record applies, what its text
is, and which policy it comes to; and whether it has tags of the old standard and reports that nobody agreed to get.
Where they differ, the table EXPLAINED must have the zone's label and checkdmarc must have given up, else the program
fails; it fails too where a label there never makes a difference. Needs the Python package checkdmarc; asks no network.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

import dns.exception
import dns.rdata
import dns.resolver
from checkdmarc import dmarc as peer
from checkdmarc.utils import DNS_CACHE

# label -> why the two differ, and who has the standard on their side
EXPLAINED = {
    "author_missing": "checkdmarc stops at a domain that does not exist; RFC 9989 §4.7 has np for just that, and the "
    "tree walk goes on.",
    "two_at_author": "checkdmarc stops at two records; RFC 9989 §4.10 drops both and goes on with the walk.",
    "bad_policy_with_reports": "checkdmarc calls the record invalid; RFC 9989 §4.10.1 takes it as p=none where reports "
    "can be sent.",
    "bad_subdomain_policy_with_reports": "checkdmarc calls the record invalid; RFC 9989 §4.10.1 takes it as p=none "
    "where reports can be sent.",
    "repeated_tag": "checkdmarc calls the record invalid, as RFC 6376 §3.2 does a list of tags; RFC 9989 §4.7 drops what is "
    "wrong behind v and keeps the rest, which zoneproof does and tells as dmarc_syntax.",
    "bad_word": "checkdmarc calls a bad value of t, psd or fo invalid; RFC 9989 §4.8 takes the default.",
    "no_tag": "checkdmarc calls a part without an equals sign invalid; RFC 9989 §4.8 drops it.",
    "blank_in_front": "checkdmarc stops at a record with a blank in front; to RFC 9989 §4.7 it is no record, and the "
    "walk goes on.",
}
LEVELS = {"none": 0, "quarantine": 1, "reject": 2}
WORDS = ["none", "quarantine", "reject"]


class Records(dns.resolver.Resolver):
    """Answers checkdmarc from the records of one zone, in the layout of --dns-fixture."""

    def __init__(self, records):
        super().__init__(configure=False)
        self.nameservers = ["192.0.2.53"]
        self.records = records

    def resolve(self, qname, rdtype="A", *_, **__):
        name, kind = str(qname).rstrip(".").lower(), str(rdtype)
        for _ in range(8):
            if name not in self.records:
                raise dns.resolver.NXDOMAIN(qnames=[dns.name.from_text(name)])
            found, alias = [], None
            for entry in self.records[name]:
                if entry == "TIMEOUT":
                    raise dns.resolver.LifetimeTimeout(timeout=1, errors=[])
                for has, value in entry.items():
                    if has == kind:
                        found.append(value)
                    elif has == "CNAME":
                        alias = value
            if found:
                return [rdata(kind, value) for value in found]
            if alias is None:
                raise NoAnswer()
            name = alias
        raise dns.resolver.LifetimeTimeout(timeout=1, errors=[])


class NoAnswer(dns.resolver.NoAnswer):
    """NODATA, without the reply that dnspython wants to quote."""

    def __init__(self):
        dns.exception.DNSException.__init__(self, "NODATA")

    def __str__(self):
        return "NODATA"


def rdata(kind, value):
    """Makes the data of one record."""
    if kind == "TXT":
        strings = [value] if isinstance(value, str) else value
        quoted = " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in strings)
        return dns.rdata.from_text("IN", "TXT", quoted)
    if kind == "MX":
        return dns.rdata.from_text("IN", "MX", "%d %s." % tuple(value))
    return dns.rdata.from_text("IN", kind, value + ("." if kind == "CNAME" else ""))


def right_record(rng, base, **fixed):
    """Writes a record with nothing wrong in it."""
    tags = ["v=DMARC1"]
    body = []
    policy = fixed.get("p", rng.choice(WORDS + [None]))
    if policy:
        body.append("p=" + rng.choice([policy, policy, policy.upper()]))
    for tag in ("sp", "np"):
        if rng.random() < 0.35:
            body.append(f"{tag}={rng.choice(WORDS)}")
    if rng.random() < 0.3:
        body.append("t=" + rng.choice("yn"))
    if rng.random() < 0.3:
        body.append("adkim=" + rng.choice("rs"))
    if rng.random() < 0.3:
        body.append("fo=" + rng.choice(["0", "1", "d:s", "1:d"]))
    if rng.random() < 0.3:
        body.append(f"rua=mailto:dmarc@{base}")
    if rng.random() < 0.2:
        body.append("xyz=abc")
    rng.shuffle(body)
    if fixed.get("psd"):
        body.append("psd=" + fixed["psd"])
    return rng.choice(["; ", ";", " ; "]).join(tags + body) + rng.choice(["", ";"])


def build(rng, number):
    """Makes one zone: (label, domain, records)."""
    base = f"zone{number}.example"
    author = rng.choice([base, f"mail.{base}", f"a.b.{base}", "a.b.c.d.e.f.g.h.i." + base])
    records = {base: [{"A": "192.0.2.1"}], author: [{"A": "192.0.2.1"}]}

    def put(name, *texts):
        records.setdefault("_dmarc." + name, []).extend({"TXT": text} for text in texts)

    def above():
        return base if author != base else None

    label = rng.choice(LABELS)
    record = right_record(rng, base)
    plain = f"v=DMARC1; p={rng.choice(WORDS)}"
    if label in ("own", "strings", "alias", "text_beside"):
        if label == "strings" and len(record) > 12:
            records["_dmarc." + author] = [{"TXT": [record[:11], record[11:]]}]
        elif label == "alias":
            records["_dmarc." + author] = [{"CNAME": "policy." + base}]
            records["policy." + base] = [{"TXT": record}]
        elif label == "text_beside":
            put(author, "site-verification=abc", record)
        else:
            put(author, record)
        if author != base and rng.random() < 0.5:
            put(base, plain)
    elif label in ("inherited", "author_missing"):
        author = author if author != base else "mail." + base
        records[author] = [{"A": "192.0.2.1"}]
        put(base, record)
        if label == "author_missing":
            del records[author]
    elif label == "nearer_and_farther":
        author = "a.b." + base
        records[author] = [{"A": "192.0.2.1"}]
        put("b." + base, plain)
        put(base, record)
    elif label == "psd_no":
        author = "a.b." + base
        records[author] = [{"A": "192.0.2.1"}]
        put("b." + base, right_record(rng, base, psd="n"))
        put(base, plain)
    elif label == "psd_yes":
        author = "a." + base
        records[author] = [{"A": "192.0.2.1"}]
        put("example", right_record(rng, base, psd="y"))
        if rng.random() < 0.5:
            put(base, plain)
    elif label == "absent":
        pass
    elif label == "other_text":
        put(author, "v=spf1 -all")
    elif label == "two_at_author":
        put(author, record, plain)
        if above():
            put(base, plain)
    elif label == "two_above":
        author = author if author != base else "mail." + base
        records[author] = [{"A": "192.0.2.1"}]
        put(base, record, plain)
    elif label == "bad_policy":
        put(author, "v=DMARC1; p=rejct")
    elif label == "bad_policy_with_reports":
        put(author, f"v=DMARC1; p=rejct; rua=mailto:a@{base}")
    elif label == "bad_subdomain_policy_with_reports":
        put(author, f"v=DMARC1; p=reject; sp=nothing; rua=mailto:a@{base}")
    elif label == "repeated_tag":
        put(author, "v=DMARC1; p=none; sp=none; sp=reject")
    elif label == "bad_word":
        put(author, "v=DMARC1; p=quarantine; " + rng.choice(["t=maybe", "psd=q", "fo=7"]))
    elif label == "bad_alignment":
        put(author, "v=DMARC1; p=quarantine; aspf=x")
    elif label == "no_tag":
        put(author, "v=DMARC1; p=reject; nothing")
    elif label == "blank_in_front":
        put(author, " v=DMARC1; p=reject")
        if above():
            put(base, plain)
    elif label == "lower_case":
        put(author, "v=dmarc1; p=reject")
    elif label == "version_not_first":
        put(author, "p=reject; v=DMARC1")
    elif label == "old_tags":
        put(author, record.rstrip("; ") + "; " + rng.choice(["pct=50", "ri=3600; rf=afrf", "pct=100"]))
    elif label == "silent_at_author":
        records["_dmarc." + author] = ["TIMEOUT"]
    elif label == "silent_above":
        author = author if author != base else "mail." + base
        records[author] = [{"A": "192.0.2.1"}]
        records["_dmarc." + base] = ["TIMEOUT"]
    elif label == "silent_above_own":
        put(author, record)
        records["_dmarc.example"] = ["TIMEOUT"]
    elif label in ("reports_refused", "reports_taken"):
        other = f"reports{number}.example"
        records[other] = [{"MX": [10, other]}, {"A": "192.0.2.2"}]
        put(author, f"v=DMARC1; p=none; rua=mailto:a@{other}")
        if label == "reports_taken":
            records[f"{author}._report._dmarc.{other}"] = [{"TXT": "v=DMARC1"}]
    elif label == "wrong_place":
        records[author].append({"TXT": "v=DMARC1; p=reject"})
    records.setdefault(base, [{"A": "192.0.2.1"}])
    return label, author, records


LABELS = [
    "own", "own", "own", "strings", "alias", "text_beside", "inherited", "inherited", "inherited", "author_missing",
    "nearer_and_farther", "psd_no", "psd_yes", "absent", "other_text", "two_at_author", "two_above", "bad_policy",
    "bad_policy_with_reports", "bad_subdomain_policy_with_reports", "repeated_tag", "bad_word", "bad_alignment",
    "no_tag", "blank_in_front", "lower_case", "version_not_first", "old_tags", "silent_at_author", "silent_above",
    "silent_above_own", "reports_refused", "reports_taken", "wrong_place",
]


def ours(program, folder, number, domain, records):
    """Asks zoneproof."""
    path = os.path.join(folder, f"{number}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(records, file)
    command = [program, "dmarc", domain, "--json", "--dns-fixture", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}")
    said = json.loads(done.stdout)
    codes = {finding["code"] for finding in said["findings"]}
    return {
        "source": said["policy_source"],
        "record": said["record"],
        "policy": said["policy"],
        "old_tags": "dmarc_old_tags" in codes,
        "reports_refused": "dmarc_rua_unauthorised" in codes,
    }


def theirs(domain, records):
    """Asks checkdmarc, and reads off its tags what receivers apply."""
    DNS_CACHE.clear()
    said = peer.check_dmarc(domain, ignore_unrelated_records=True, resolver=Records(records), timeout=1, retries=0)
    result = {"source": None, "record": None, "policy": None, "old_tags": False, "reports_refused": False}
    warnings = " ".join(said["warnings"])
    if not said["valid"]:
        return result
    tags = {tag: value["value"] for tag, value in said["tags"].items()}
    policy = tags["p"] if said["location"] == domain else tags["sp"]
    if tags.get("t") == "y":
        policy = WORDS[max(LEVELS[policy] - 1, 0)]
    # What stands in a record above is not the domain's: zoneproof tells of its own alone.
    is_own = said["location"] == domain
    return {
        "source": said["location"],
        "record": said["record"],
        "policy": policy,
        "old_tags": is_own and "was removed in RFC 9989" in warnings,
        "reports_refused": is_own and "does not indicate that it accepts" in warnings,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--zones", type=int, default=500)
    parser.add_argument("--seed", type=int, default=9989)
    parser.add_argument("--show", action="store_true", help="print every difference")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    same, explained, unexplained = 0, collections.Counter(), []
    met = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.zones):
            label, domain, records = build(rng, number)
            met[label] += 1
            one, other = ours(arguments.program, folder, number, domain, records), theirs(domain, records)
            if one == other:
                same += 1
                continue
            is_explained = label in EXPLAINED and other["policy"] is None
            if arguments.show or not is_explained:
                print(f"{label}: {domain}\n  records    {json.dumps(records)}\n  zoneproof  {one}\n  checkdmarc {other}")
            if is_explained:
                explained[label] += 1
            else:
                unexplained.append(label)
    print(f"seed {arguments.seed}: {arguments.zones} zones of {len(met)} kinds; the same {same}, "
          f"different and explained {sum(explained.values())}, unexplained {len(unexplained)}")
    for label, count in sorted(explained.items()):
        print(f"  {count:4} of {met[label]:4}  {label}: {EXPLAINED[label]}")
    idle = [label for label in EXPLAINED if met[label] and not explained[label]] + [
        label for label in EXPLAINED if label not in LABELS]
    for label in idle:
        print(f"  {label}: explained, but the two never differ")
    sys.exit(1 if unexplained or idle else 0)


if __name__ == "__main__":
    main()
