"""Holds `zoneproof dmarc` against checkdmarc on generated zones that one server on loopback serves to both.

Usage: checkdmarc_agreement.py ZONEPROOF [--zones N] [--seed N] [--show]

`zoneproof lab` serves all zones: zoneproof walks to them from a root of its own, and checkdmarc's resolver asks the
same authoritative server, which answers for every name that there is, without recursion. Every zone has a label that
says what is peculiar in it. Both programs say which domain's record applies, what its text is, and which policy it
comes to; and whether it has tags of the old standard and reports that nobody agreed to get.
Where they differ, the table EXPLAINED must have the zone's label and checkdmarc must have given up, else the program
fails; it fails too where a label there never makes a difference. Needs the Python package checkdmarc; no packet leaves
this machine.
"""

import argparse
import collections
import concurrent.futures
import functools
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

import dns.resolver
from checkdmarc import dmarc as peer

# The lab's addresses: the root, and the server of all zones below it.
ROOT, SERVER = "127.71.0.1", "127.71.0.2"
# How many zones are looked at at the same time, and how long either program waits for a server that says nothing.
AT_ONCE, SILENCE_SECONDS = 8, 2
# How long the lab may take to start.
START_SECONDS = 30

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


def resolver(port):
    """Makes a resolver that asks the lab's server, and nobody else."""
    stub = dns.resolver.Resolver(configure=False)
    stub.nameservers, stub.port, stub.search = [SERVER], port, []
    return stub


def quoted(text):
    """Writes one character-string of a zone."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def line(name, kind, value):
    """Writes one record of a zone."""
    if kind == "TXT":
        strings = [value] if isinstance(value, str) else value
        return f"  {name}. TXT " + " ".join(quoted(string) for string in strings)
    if kind == "MX":
        return f"  {name}. MX {value[0]} {value[1]}."
    return f"  {name}. {kind} {value}" + ("." if kind == "CNAME" else "")


def scenario(zones):
    """Writes all zones as a scenario of the lab. A name that is to be silent is so over UDP; over TCP nobody is there."""
    lines = [f"zone . at {ROOT}", "  example NS ns.example.", f"  ns.example A {SERVER}", f"zone example at {SERVER}"]
    lines.append(f"  ns.example. A {SERVER}")
    bodies, rules = collections.defaultdict(list), []
    for _, _, records in zones:
        for name, entries in records.items():
            zone = ".".join(name.split(".")[-2:])
            for entry in entries:
                if entry == "TIMEOUT":
                    rules += [f"  udp any {name} -> silence", f"  tcp any {name} -> refuse-connection"]
                else:
                    bodies[zone] += [line(name, kind, value) for kind, value in entry.items()]
    lines += [f"  {zone}. NS ns.example." for zone in bodies]
    for zone, body in bodies.items():
        lines += [f"zone {zone} at {SERVER}"] + body
    return "\n".join(lines + [f"server {SERVER}"] * bool(rules) + rules) + "\n"


def free_port():
    """Finds a port that is free at both addresses, over UDP and TCP."""
    for port in range(20000 + os.getpid() % 9000, 30000):
        try:
            for address in (ROOT, SERVER):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    with socket.socket(socket.AF_INET, kind) as one:
                        one.bind((address, port))
            return port
        except OSError:
            continue
    raise SystemExit("no port is free")


def start_lab(program, folder, zones, port):
    """Serves the zones, and returns once the server answers."""
    path = os.path.join(folder, "zones.scn")
    with open(path, "w", encoding="utf-8") as file:
        file.write(scenario(zones))
    lab = subprocess.Popen([program, "lab", "--port", str(port), path], stdout=subprocess.DEVNULL)
    until = time.monotonic() + START_SECONDS
    while lab.poll() is None and time.monotonic() < until:
        try:
            resolver(port).resolve("ns.example", "A", lifetime=1)
            return lab
        except (dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers):
            time.sleep(0.1)
    lab.kill()
    raise SystemExit("the lab did not start")


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
    label = rng.choice(LABELS)
    # What stands above the zone is its own where that matters: all zones are served together.
    above_base = f"parent{number}.example" if label in ("psd_yes", "silent_above_own") else "example"
    base = f"zone{number}.{above_base}"
    author = rng.choice([base, f"mail.{base}", f"a.b.{base}", "a.b.c.d.e.f.g.h.i." + base])
    records = {base: [{"A": "192.0.2.1"}], author: [{"A": "192.0.2.1"}]}

    def put(name, *texts):
        records.setdefault("_dmarc." + name, []).extend({"TXT": text} for text in texts)

    def above():
        return base if author != base else None

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
        put(above_base, right_record(rng, base, psd="y"))
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
        records["_dmarc." + above_base] = ["TIMEOUT"]
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


def ours(program, hints, port, domain):
    """Asks zoneproof."""
    command = [program, "dmarc", domain, "--json", "--root-hints", hints, "--dns-port", str(port), "--no-ipv6",
               "--allow-special-addresses", "--attempts", "1", "--max-qps-per-server", "0"]
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


def theirs(port, domain):
    """Asks checkdmarc, and reads off its tags what receivers apply."""
    said = peer.check_dmarc(
        domain, ignore_unrelated_records=True, resolver=resolver(port), timeout=SILENCE_SECONDS, retries=0)
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


def ask_both(arguments, zones, folder):
    """Serves the zones and asks both programs about each; returns what they say, in order."""
    port, hints = free_port(), os.path.join(folder, "hints")
    with open(hints, "w", encoding="utf-8") as file:
        file.write(f". NS a.root.example.\na.root.example. A {ROOT}\n")
    domains = [domain for _, domain, _ in zones]
    lab = start_lab(arguments.program, folder, zones, port)
    try:
        # checkdmarc remembers answers in the process, so that it gets processes of its own.
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as threads, multiprocessing.Pool(AT_ONCE) as processes:
            other = processes.map_async(functools.partial(theirs, port), domains, chunksize=4)
            one = list(threads.map(functools.partial(ours, arguments.program, hints, port), domains))
            return list(zip(one, other.get()))
    finally:
        lab.send_signal(signal.SIGINT)
        lab.wait(timeout=START_SECONDS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--zones", type=int, default=500)
    parser.add_argument("--seed", type=int, default=9989)
    parser.add_argument("--show", action="store_true", help="print every difference")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    zones = [build(rng, number) for number in range(arguments.zones)]
    met = collections.Counter(label for label, _, _ in zones)
    same, explained, unexplained = 0, collections.Counter(), []
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        said = ask_both(arguments, zones, folder)
    for (label, domain, records), (one, other) in zip(zones, said):
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
    print(f"seed {arguments.seed}: {arguments.zones} zones of {len(met)} kinds, served on loopback, in "
          f"{time.monotonic() - started:.0f} s; the same {same}, different and explained {sum(explained.values())}, "
          f"unexplained {len(unexplained)}")
    for label, count in sorted(explained.items()):
        print(f"  {count:4} of {met[label]:4}  {label}: {EXPLAINED[label]}")
    idle = [label for label in EXPLAINED if met[label] and not explained[label]] + [
        label for label in EXPLAINED if label not in LABELS]
    for label in idle:
        print(f"  {label}: explained, but the two never differ")
    sys.exit(1 if unexplained or idle else 0)


if __name__ == "__main__":
    main()
