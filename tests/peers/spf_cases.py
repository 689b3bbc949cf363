"""Writes SPF cases as JSON: the published RFC 7208 suite, or generated records with what pyspf says of them.

usage: spf_cases.py suite FILE.yml | generated COUNT SEED

One object a line: {"id", "zone", "ip", "helo", "mail_from", "results", "explanation", "lookups", "void_lookups"};
"zone" in the layout of the suite's zonedata, null where nothing is said. Needs PyYAML, and pyspf for the latter.

Three things are not generated, since pyspf does not do there as RFC 7208 says:
- `%{p}`, which it works out before the term is reached, so that lookups count that never had to be made;
- a timeout behind `ptr`, which is no match and no temperror (RFC 7208 section 5.5);
- `redirect=` with nothing behind it, which it counts as a lookup before it finds that the record is broken.
"""

import json
import random
import sys

KINDS = ("ip4", "ip6", "a", "mx", "include", "exists", "ptr", "all")


def suite(path):
    import yaml

    with open(path, encoding="utf-8") as file:
        groups = [group for group in yaml.safe_load_all(file) if group]
    for group in groups:
        for name, test in group["tests"].items():
            results = test["result"]
            explanation = test.get("explanation")
            yield {
                "id": name,
                "zone": group["zonedata"],
                "ip": test["host"],
                "helo": test["helo"],
                "mail_from": test["mailfrom"],
                "results": results if isinstance(results, list) else [results],
                # The suite writes DEFAULT where the domain publishes none.
                "explanation": "" if explanation == "DEFAULT" else explanation,
                "lookups": None,
                "void_lookups": None,
            }


class Zone:
    """Generated names with records; each name is made once and may be named again."""

    def __init__(self, dice):
        self.dice, self.names, self.count = dice, {}, 0

    def fresh(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}.example.{self.dice.choice(['com', 'net', 'org'])}"

    def host(self, sender, may_be_slow=True):
        """A host name: with the sender's address, with another one, with nothing of use, or not there at all."""
        dice, name = self.dice, self.fresh("h")
        kind = dice.choices(["hit", "miss", "void", "gone", "alias", "slow"], [4, 10, 1, 2, 2, 0.4 * may_be_slow])[0]
        near, far = ("A", "AAAA") if "." in sender else ("AAAA", "A")
        other = f"203.0.113.{dice.randrange(1, 255)}" if near == "A" else f"2001:db8:1::{dice.randrange(1, 9999):x}"
        if kind == "hit":
            self.names[name] = [{near: other}, {near: sender}]
        elif kind == "miss":
            self.names[name] = [{near: other}] + [{far: "192.0.2.99" if far == "A" else "2001:db8:2::1"}] * dice.randrange(2)
        elif kind == "void":
            self.names[name] = [{"MX": [10, name]}]
        elif kind == "alias":
            target = self.fresh("t")
            self.names[target] = [{near: dice.choice([other, sender])}]
            self.names[name] = [{"CNAME": target}]
        elif kind == "slow":
            self.names[name] = ["TIMEOUT"]
        return name

    def mail(self, sender):
        """A name with mail exchangers."""
        name = self.fresh("m")
        count = self.dice.choices([0, 1, 2, 3, 10, 11], [1, 6, 6, 3, 0.3, 0.3])[0]
        self.names[name] = [{"MX": [10 * nth, self.host(sender)]} for nth in range(count)] or [{"A": "203.0.113.1"}]
        return name

    def pointers(self, sender, domain):
        """The names that the sender's address claims."""
        import ipaddress

        dice, owner = self.dice, ipaddress.ip_address(sender).reverse_pointer
        names = [self.host(sender, False) for _ in range(dice.choices([0, 1, 2, 3], [3, 4, 2, 1])[0])]
        if dice.random() < 0.3:
            name = f"out.{domain}"
            self.names[name] = [{"A" if "." in sender else "AAAA": sender}]
            names.append(name)
        if names:
            self.names[owner] = [{"PTR": name} for name in sorted(names)]


def qualifier(dice):
    return dice.choices(["", "+", "?", "~", "-"], [10, 1, 2, 2, 2])[0]


def network(dice, sender):
    """An ip4 or ip6 term, near the sender or not."""
    if dice.random() < 0.5:
        address = f"198.51.100.{dice.randrange(256)}" if dice.random() < 0.8 else sender
        address = address if "." in address else "192.0.2.1"
        return f"ip4:{address}" + dice.choice(["", "", "/32", "/24", "/25", "/31", "/0"] if dice.random() < 0.2 else ["", "/32", "/31"])
    address = sender if ":" in sender and dice.random() < 0.3 else f"2001:db8:3::{dice.randrange(1, 9999):x}"
    return f"ip6:{address}" + dice.choice(["", "/128", "/64", "/127"])


def spec(dice, name):
    """A name as a domain-spec, now and then by macros."""
    return dice.choices([name, name + ".", name.upper(), name], [10, 1, 1, 3])[0]


def mechanism(dice, zone, sender, domain, depth):
    kinds, weights = KINDS, (5, 3, 4, 3, 5 if depth < 4 else 0, 2, 1, 0)
    kind = dice.choices(kinds, weights)[0]
    if kind in ("ip4", "ip6"):
        return network(dice, sender)
    if kind == "a":
        prefix = dice.choice(["", "", "", "/32", "/24", "//64", "/16//48"])
        return "a" + dice.choice(["", ":" + spec(dice, zone.host(sender)), ":" + spec(dice, zone.host(sender))]) + prefix
    if kind == "mx":
        return "mx:" + spec(dice, zone.mail(sender)) + dice.choice(["", "", "/24", "//64"])
    if kind == "include":
        return "include:" + spec(dice, record(dice, zone, sender, depth + 1))
    if kind == "exists":
        macro = dice.choice(["%{ir}.%{v}", "%{l}", "%{d2}", "%{o}.%{h}", "%{s}", "%{L1r+-}"])
        name = zone.fresh("e")
        if dice.random() < 0.5:
            zone.names[name] = [{"A": "127.0.0.2"}]
            return f"exists:{name}"
        return f"exists:{macro}.{name}"
    return "ptr" + dice.choice(["", ":" + domain])


def broken(dice):
    return dice.choice(["ip4:192.0.2.256", "include", "mxx", "ip4:192.0.2.1/33", "a:%{x}.example.com", "-all:x", "exists:", "ip6:2001:db8::g", "include:", "a/33"])


def record(dice, zone, sender, depth, domain=None):
    """Publishes a record at a new name, or nothing at all, and returns the name."""
    domain = domain or zone.fresh("r")
    if depth and dice.random() < 0.06:
        return domain
    terms = [mechanism(dice, zone, sender, domain, depth) for _ in range(dice.choices(range(7), [1, 3, 4, 4, 3, 2, 2])[0])]
    terms = [qualifier(dice) + term for term in terms]
    if dice.random() < 0.03:
        terms.insert(dice.randrange(len(terms) + 1), broken(dice))
    if dice.random() < 0.15 and depth < 4:
        terms.append("redirect=" + record(dice, zone, sender, depth + 1))
    elif dice.random() < 0.85:
        terms.append(dice.choice(["-all", "~all", "?all", "all", "+all"]))
    if dice.random() < 0.1:
        name = zone.fresh("x")
        zone.names[name] = [{"TXT": dice.choice(["%{i} is not one of %{d}", "no", "see %{h} %{s} %{r}", "50%"])}]
        terms.append("exp=" + name)
    if dice.random() < 0.05:
        terms.append("moo.x=%{d}.y")
    text = dice.choices(["v=spf1 ", "V=SPF1 "], [20, 1])[0] + dice.choices([" ", "  "], [20, 1])[0].join(terms)
    entries = [{"TXT": "hello"}] * (dice.random() < 0.2) + [{"TXT": text}]
    if dice.random() < 0.02:
        entries.append({"TXT": "v=spf1 ?all moo=a-second-record"})
    if dice.random() < 0.3:
        entries.append({"A": dice.choice([sender, "203.0.113.9"])} if "." in sender else {"AAAA": "2001:db8:9::1"})
    zone.names[domain] = entries
    return domain


def lookup_in(zone):
    """A stand-in for pyspf's DNS: yields ((name, type), value); an alias brings what is behind it."""
    import socket
    import spf

    def lookup(name, kind, strict=True, timeout=None):
        name = name.lower().rstrip(".")
        for entry in zone.get(name, []):
            if entry == "TIMEOUT":
                raise spf.TempError("DNS timeout")
            ((found, value),) = entry.items()
            if found not in (kind, "CNAME"):
                continue
            if found == "TXT":
                value = (value.encode(),)
            elif found == "AAAA":
                value = socket.inet_pton(socket.AF_INET6, value)
            elif found == "MX":
                value = tuple(value)
            yield (name, found), value

    return lookup


def generated(count, seed):
    import spf

    for nth in range(count):
        dice = random.Random(seed * 1_000_003 + nth)
        sender = dice.choice(["192.0.2.1", "192.0.2.1", "198.51.100.77", "2001:db8::25"])
        zone = Zone(dice)
        domain = record(dice, zone, sender, 0, "example.com")
        zone.pointers(sender, domain)
        mail_from = dice.choice(["user@example.com", "a-b+c@example.com", "O'Hara@example.com"])
        case = {"id": f"generated-{seed}-{nth}", "zone": zone.names, "ip": sender, "helo": "mail.example.net", "mail_from": mail_from}
        names = {name.lower(): entries for name, entries in zone.names.items()}
        spf.DNSLookup = lookup_in(names)
        query = spf.query(i=sender, s=mail_from, h=case["helo"])
        result, _, text = query.check()
        defaults = spf.EXPLANATIONS.values()
        explanation = text if result == "fail" and text not in defaults else ""
        yield case | {"results": [result], "explanation": explanation, "lookups": query.lookups, "void_lookups": query.void_lookups}


def main():
    cases = suite(sys.argv[2]) if sys.argv[1] == "suite" else generated(int(sys.argv[2]), int(sys.argv[3]))
    for case in cases:
        print(json.dumps(case))


if __name__ == "__main__":
    main()
