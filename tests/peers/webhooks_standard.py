#!/usr/bin/env python3
"""Verifies the webhooks of a worker as a receiver would, with the published package of Standard Webhooks.

Usage: webhooks_standard.py ZONEPROOF

Adds a receiver on loopback to a fleet of the lab, lets a worker check the fleet, and has the package verify each message
that comes, with the secret that `zoneproof webhooks add` printed. The first message is answered with 503: it must come
again under its own id, with a signature of its own. What is changed on the way must not pass. Needs the Python package
standardwebhooks; talks to loopback alone.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook, WebhookVerificationError

# How many messages are waited for, one of them twice; and for how long, in seconds.
MESSAGES = 10
PATIENCE = 120


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; turns the first message away once."""

    kept: list[tuple[dict[str, str], bytes]] = []
    is_enough = threading.Event()
    lock = threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.lock:
            is_first = not self.kept
            self.kept.append((headers, body))
            ids = [kept["webhook-id"] for kept, _ in self.kept]
            if ids.count(ids[0]) > 1 and len(set(ids)) >= MESSAGES:
                self.is_enough.set()
        self.send_response(503 if is_first else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def passes(webhook, headers, body):
    """Says whether the package takes a message for true."""
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        database = ["--database", f"sqlite:{Path(folder) / 'fleet.db'}"]
        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hook"
        add = [program, "webhooks", "add", url, "--allow-special-addresses", *database]
        said = subprocess.run(add, check=True, capture_output=True, text=True).stdout
        secret = re.search(r"whsec_\S+", said).group()
        # Some tenants of the lab are not ready, so that the run ends with 1.
        run = subprocess.run([program, "bulk", "--lab", *database], capture_output=True, text=True)
        assert run.returncode in (0, 1, 3), run.stderr
        worker = subprocess.Popen([program, "worker", "--lab", *database], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            is_enough = Receiver.is_enough.wait(PATIENCE)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait()
        assert is_enough, f"only {len(Receiver.kept)} messages came"
        server.shutdown()

    webhook, other = Webhook(secret), Webhook("whsec_" + "A" * 43 + "=")
    kinds, refused = set(), 0
    for headers, body in Receiver.kept:
        told = webhook.verify(body, headers)
        assert told == json.loads(body), told
        kinds.add(told["type"])
        wrong = [
            (webhook, {**headers, "webhook-id": headers["webhook-id"] + "x"}, body),
            (webhook, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body),
            (webhook, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 3600)}, body),
            (webhook, headers, body + b" "),
            (other, headers, body),
        ]
        for one in wrong:
            assert not passes(*one), f"the package took {one[1:]}"
            refused += 1
    twice = Receiver.kept[0][0]["webhook-id"]
    first, again = [message for message in Receiver.kept if message[0]["webhook-id"] == twice][:2]
    assert first[1] == again[1], "the same message comes again"
    stamps = [int(message[0]["webhook-timestamp"]) for message in (first, again)]
    assert stamps[0] < stamps[1] and first[0]["webhook-signature"] != again[0]["webhook-signature"], stamps
    ids = {headers["webhook-id"] for headers, _ in Receiver.kept}
    print(
        f"{len(Receiver.kept)} deliveries of {len(ids)} messages ({', '.join(sorted(kinds))}) verified by standardwebhooks;"
        f" one came again {stamps[1] - stamps[0]} s later; {refused} changed ones refused"
    )


if __name__ == "__main__":
    main()
