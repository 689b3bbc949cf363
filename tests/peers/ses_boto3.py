#!/usr/bin/env python3
"""Holds the lab's Amazon SES against Amazon's own service model, through boto3.

Usage: ses_boto3.py ZONEPROOF

Starts `zoneproof lab` and drives every operation that its SES has. botocore comes with Amazon's model of the service and
reads each reply by it; here every reply is also compared with the model member by member: none that the model does not
have, none missing that it requires, kinds of values, words of its enumerations; and every error must be one that the
model lists for the operation, with its HTTP status, and arrive as its exception. Each member of the model must have come
up at least once, but for those in NEVER. Where moto is installed, its five calls are driven too, and what it has and we
do not, or the other way about, must be in MOTO. Needs the Python package boto3; talks to loopback alone.
"""

import base64
import json
import logging
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

HOME, SOUTH = "eu-west-1", "eu-south-1"
OPERATIONS = [
    "CreateEmailIdentity",
    "GetEmailIdentity",
    "ListEmailIdentities",
    "DeleteEmailIdentity",
    "PutEmailIdentityDkimSigningAttributes",
    "PutEmailIdentityDkimAttributes",
    "PutEmailIdentityMailFromAttributes",
    "SendEmail",
    "BatchGetMetricData",
]
# Errors that any AWS service may have, which models do not list for each operation.
COMMON_ERRORS = {"AccessDeniedException", "ServiceUnavailable"}
# Members of outputs that the lab has no use for: why.
NEVER = {}
# What moto does otherwise, by what was compared: why.
MOTO = {
    "create twice": "moto makes it again; the model has AlreadyExistsException",
    "delete missing": "moto does not mind; the model has NotFoundException",
    "CreateEmailIdentity: we add DkimAttributes.CurrentSigningKeyLength": "moto has no keys",
    "CreateEmailIdentity: we add DkimAttributes.LastKeyGenerationTimestamp": "moto has no keys",
    "CreateEmailIdentity: we add DkimAttributes.SigningHostedZone": "moto has no zones",
    "CreateEmailIdentity: we add DkimAttributes.Tokens": "moto has no tokens",
    "GetEmailIdentity: we add DkimAttributes.CurrentSigningKeyLength": "moto has no keys",
    "GetEmailIdentity: we add DkimAttributes.LastKeyGenerationTimestamp": "moto has no keys",
    "GetEmailIdentity: we add DkimAttributes.SigningHostedZone": "moto has no zones",
    "GetEmailIdentity: we add DkimAttributes.Tokens": "moto has no tokens",
    "GetEmailIdentity: we add Tags": "moto leaves an empty list out",
    "GetEmailIdentity: we add VerificationInfo": "moto never looks",
}

# A key that nobody can sign with: its modulus is made up.
MODULUS = bytes([2, 0x81, 129, 0]) + b"\xc5" * 128
EXPONENT = bytes([2, 3, 1, 0, 1])


def sequence(body):
    """Wraps 128 to 255 octets in a SEQUENCE of DER."""
    return base64.b64encode(bytes([0x30, 0x81, len(body)]) + body).decode()


PUBLIC_KEY = sequence(MODULUS + EXPONENT)
PRIVATE_KEY = sequence(bytes([2, 1, 0]) + MODULUS + EXPONENT)

WORLD = f"""
zone . at 127.9.21.1
  com                       NS     ns.com
  ns.com                    A      127.9.21.1
zone com at 127.9.21.1
  example                   NS     ns1.example.com.
  ns1.example               A      127.9.21.2
zone example.com at 127.9.21.2
  ta._domainkey.right       CNAME  ta.dkim.amazonses.com.
  tb._domainkey.right       CNAME  tb.dkim.amazonses.com.
  tc._domainkey.right       CNAME  tc.dkim.amazonses.com.
  bounce.right              MX     10 feedback-smtp.eu-west-1.amazonses.com.
  ta._domainkey.south       CNAME  ta.dkim.eu-south-1.amazonses.com.
  tb._domainkey.south       CNAME  tb.dkim.eu-south-1.amazonses.com.
  tc._domainkey.south       CNAME  tc.dkim.eu-south-1.amazonses.com.
  s1._domainkey.own         TXT    "p={PUBLIC_KEY}"
check right.example.com token=ta token=tb token=tc
check south.example.com token=ta token=tb token=tc
check wrong.example.com token=ta token=tb token=tc
"""


class Lab:
    """A lab in a process of its own, ended with the `with`."""

    def __init__(self, program, *arguments):
        command = [program, "lab", "--port", "0", "--ses-speed", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.variables = {}
        while "AWS_SECRET_ACCESS_KEY" not in self.variables:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the lab did not start")
            found = re.fullmatch(r"\s*export (\w+)=(\S+)\s*", line)
            if found:
                self.variables[found[1]] = found[2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def tell(self, method, path, body=None):
        """Calls one of the lab's own paths."""
        request = urllib.request.Request(
            self.variables["AWS_ENDPOINT_URL_SESV2"] + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as reply:
            text = reply.read()
        return json.loads(text) if text else None

    def fault(self, kind=None, **more):
        """Has one fault about, or none."""
        self.tell("PUT", "/_lab/faults", [{"kind": kind, **more}] if kind else [])


def connect(endpoint, region, judge=None):
    """Makes a client that tries once, and has its replies judged."""
    client = boto3.client(
        "sesv2",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="lab",
        aws_secret_access_key="lab",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )
    if judge:
        client.meta.events.register("before-parse.sesv2", judge)
    return client


class Judge:
    """Compares replies as they came with the service model."""

    def __init__(self, model):
        self.model, self.faults, self.seen, self.replies = model, [], set(), 0
        self.called, self.errors = set(), set()

    def __call__(self, operation_model, response_dict, **_):
        self.reply(operation_model.name, response_dict["status_code"], response_dict["headers"], response_dict["body"])

    def reply(self, name, status, headers, body):
        """Judges one reply."""
        self.replies += 1
        operation = self.model.operation_model(name)
        if headers.get("content-type") != "application/json":
            self.faults.append(f"{name}: content type {headers.get('content-type')}")
        if status == 200:
            self.called.add(name)
            self.value(name, operation.output_shape, json.loads(body))
            return
        error = headers.get("x-amzn-errortype")
        self.errors.add(error)
        shape = next((shape for shape in operation.error_shapes if shape.name == error), None)
        if shape is None and error not in COMMON_ERRORS:
            self.faults.append(f"{name}: {error} is none of its errors")
        elif shape is not None and shape.metadata["error"]["httpStatusCode"] != status:
            self.faults.append(f"{name}: {error} came with {status}")
        if not isinstance(json.loads(body).get("message"), str):
            self.faults.append(f"{name}: {error} says nothing")

    def value(self, path, shape, value):
        """Judges one value by its shape."""
        kind = shape.type_name
        right = {
            "structure": dict,
            "map": dict,
            "list": list,
            "string": str,
            "boolean": bool,
            "integer": int,
            "long": int,
            "timestamp": (int, float),
        }[kind]
        if not isinstance(value, right) or (kind != "boolean" and isinstance(value, bool)):
            self.faults.append(f"{path}: {value!r} is no {kind}")
            return
        if kind == "structure":
            for name, member in value.items():
                if name not in shape.members:
                    self.faults.append(f"{path}: {name} is no member of {shape.name}")
                    continue
                self.seen.add(f"{shape.name}.{name}")
                self.value(f"{path}.{name}", shape.members[name], member)
            for name in set(shape.required_members) - set(value):
                self.faults.append(f"{path}: {name} is missing in {shape.name}")
        elif kind == "list":
            for member in value:
                self.value(f"{path}[]", shape.member, member)
        elif kind == "map":
            for name, member in value.items():
                self.value(f"{path} key", shape.key, name)
                self.value(f"{path}.{name}", shape.value, member)
        elif kind == "string":
            if shape.enum and value not in shape.enum:
                self.faults.append(f"{path}: {value} is no word of {shape.name}")
            if len(value) < shape.metadata.get("min", 0):
                self.faults.append(f"{path}: {value!r} is too short")
        elif kind in ("integer", "long") and not -(2**63) <= value < 2**63:
            self.faults.append(f"{path}: {value} is too large")

    def unseen(self):
        """Returns the members of outputs that never came up."""
        members, shapes = set(), [self.model.operation_model(name).output_shape for name in OPERATIONS]
        met = set()
        while shapes:
            shape = shapes.pop()
            if shape.name in met:
                continue
            met.add(shape.name)
            if shape.type_name == "structure":
                members |= {f"{shape.name}.{name}" for name in shape.members}
                shapes += shape.members.values()
            elif shape.type_name == "list":
                shapes.append(shape.member)
            elif shape.type_name == "map":
                shapes.append(shape.value)
        return members - self.seen


def raised(call, **arguments):
    """Returns the name of the exception that a call raises; none, where it raises none."""
    try:
        call(**arguments)
    except ClientError as error:
        return type(error).__name__
    return None


def check(faults, what, found, expected):
    """Notes a difference."""
    if found != expected:
        faults.append(f"{what}: {found!r}, expected {expected!r}")


def message(sender):
    """Returns a small message."""
    return {
        "FromEmailAddress": sender,
        "Destination": {"ToAddresses": ["somebody@example.org"]},
        "Content": {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello."}}}},
    }


def drive_identities(lab, client, south, faults):
    """Makes, verifies, changes and removes identities of every kind."""
    lab.tell("POST", "/_lab/look", {})
    for name in ("right", "south", "wrong"):
        client.delete_email_identity(EmailIdentity=f"{name}.example.com")
    made = client.create_email_identity(
        EmailIdentity="right.example.com", Tags=[{"Key": "k", "Value": "v"}], ConfigurationSetName="standard"
    )
    check(faults, "tokens", made["DkimAttributes"]["Tokens"], ["ta", "tb", "tc"])
    check(faults, "a new identity", made["DkimAttributes"]["Status"], "PENDING")
    key = {"DomainSigningSelector": "s1", "DomainSigningPrivateKey": PRIVATE_KEY}
    client.create_email_identity(EmailIdentity="own.example.com", DkimSigningAttributes=key)
    client.create_email_identity(EmailIdentity="somebody@example.com")
    client.create_email_identity(
        EmailIdentity="short.example.com", DkimSigningAttributes={"NextSigningKeyLength": "RSA_1024_BIT"}
    )
    client.create_email_identity(EmailIdentity="wrong.example.com")
    south.create_email_identity(EmailIdentity="south.example.com")
    replica = {"DomainSigningAttributesOrigin": "AWS_SES_EU_SOUTH_1"}
    made = client.create_email_identity(EmailIdentity="south.example.com", DkimSigningAttributes=replica)
    check(faults, "a replica's zone", made["DkimAttributes"]["SigningHostedZone"], "dkim.eu-south-1.amazonses.com")
    client.create_email_identity(EmailIdentity="orphan.example.com", DkimSigningAttributes=replica)
    client.put_email_identity_mail_from_attributes(
        EmailIdentity="right.example.com",
        MailFromDomain="bounce.right.example.com",
        BehaviorOnMxFailure="REJECT_MESSAGE",
    )
    lab.tell("POST", "/_lab/look", {})
    for name, status, error in [
        ("right", "SUCCESS", None),
        ("own", "SUCCESS", None),
        ("south", "SUCCESS", None),
        ("wrong", "PENDING", "HOST_NOT_FOUND"),
        ("orphan", "FAILED", "REPLICATION_PRIMARY_NOT_FOUND"),
    ]:
        told = client.get_email_identity(EmailIdentity=f"{name}.example.com")
        check(faults, name, told["DkimAttributes"]["Status"], status)
        check(faults, f"{name}: error", told["VerificationInfo"].get("ErrorType"), error)
    told = client.get_email_identity(EmailIdentity="right.example.com")
    check(faults, "MAIL FROM", told["MailFromAttributes"]["MailFromDomainStatus"], "SUCCESS")
    check(faults, "tags", told["Tags"], [{"Key": "k", "Value": "v"}])
    check(faults, "SOA", told["VerificationInfo"]["SOARecord"]["SerialNumber"], 1)
    told = client.get_email_identity(EmailIdentity="somebody@example.com")
    check(faults, "an address", (told["IdentityType"], told["DkimAttributes"]["Status"]), ("EMAIL_ADDRESS", "NOT_STARTED"))
    sign, name = client.put_email_identity_dkim_signing_attributes, "right.example.com"
    answer = sign(
        EmailIdentity=name, SigningAttributesOrigin="AWS_SES", SigningAttributes={"NextSigningKeyLength": "RSA_1024_BIT"}
    )
    check(faults, "another key length", (answer["DkimStatus"], answer["SigningHostedZone"]), ("PENDING", "dkim.amazonses.com"))
    answer = sign(EmailIdentity=name, SigningAttributesOrigin="EXTERNAL", SigningAttributes=key)
    check(faults, "another key", answer["DkimTokens"], ["s1"])
    answer = sign(EmailIdentity=name, SigningAttributesOrigin="AWS_SES")
    check(faults, "back again", answer["DkimTokens"], ["ta", "tb", "tc"])
    client.put_email_identity_dkim_attributes(EmailIdentity=name, SigningEnabled=False)
    check(faults, "signing", client.get_email_identity(EmailIdentity=name)["DkimAttributes"]["SigningEnabled"], False)
    lab.tell("POST", "/_lab/clock", {"advance_seconds": 72 * 3600})
    told = client.get_email_identity(EmailIdentity="wrong.example.com")
    check(faults, "after 72 hours", told["DkimAttributes"]["Status"], "FAILED")
    check(faults, "back after 72 hours", client.get_email_identity(EmailIdentity=name)["DkimAttributes"]["Status"], "SUCCESS")


def drive_errors(lab, client, faults):
    """Meets every error as its exception."""
    create, get = client.create_email_identity, client.get_email_identity
    check(faults, "get missing", raised(get, EmailIdentity="gone.example.com"), "NotFoundException")
    check(faults, "delete missing", raised(client.delete_email_identity, EmailIdentity="gone.example.com"), "NotFoundException")
    check(faults, "create twice", raised(create, EmailIdentity="right.example.com"), "AlreadyExistsException")
    check(faults, "no name", raised(create, EmailIdentity="no name"), "BadRequestException")
    for kind, call, arguments, expected in [
        ("throttled", get, {"EmailIdentity": "right.example.com"}, "TooManyRequestsException"),
        ("quota_reached", create, {"EmailIdentity": "one.example.com"}, "LimitExceededException"),
        ("concurrent_modification", create, {"EmailIdentity": "one.example.com"}, "ConcurrentModificationException"),
        ("server_error", client.batch_get_metric_data, {"Queries": queries("right.example.com")}, "InternalServiceErrorException"),
        ("denied", get, {"EmailIdentity": "right.example.com"}, "ClientError"),
        ("unavailable", get, {"EmailIdentity": "right.example.com"}, "ClientError"),
    ]:
        lab.fault(kind)
        check(faults, kind, raised(call, **arguments), expected)
    # What is wrong on purpose must be noticed.
    probe = Judge(client.meta.service_model)
    lab.fault("unknown_status")
    connect(client.meta.endpoint_url, HOME, probe).get_email_identity(EmailIdentity="right.example.com")
    check(faults, "unknown statuses are noticed", len(probe.faults), 3)
    lab.fault()


def queries(identity):
    """Returns queries for the metrics of an identity, and of one that is not the caller's."""
    query = {"Namespace": "VDM", "Metric": "SEND", "StartDate": 0, "EndDate": 86400 * 2}
    names = [("own", identity), ("foreign", "example.org")]
    return [{"Id": id, "Dimensions": {"EMAIL_IDENTITY": name}, **query} for id, name in names]


def drive_mail(lab, client, faults):
    """Sends, is refused, and counts."""
    sent = client.send_email(**message("a@right.example.com"))
    check(faults, "a message has an id", bool(sent["MessageId"]), True)
    check(faults, "unverified", raised(client.send_email, **message("a@wrong.example.com")), "MessageRejected")
    client.put_email_identity_mail_from_attributes(
        EmailIdentity="right.example.com", MailFromDomain="none.right.example.com", BehaviorOnMxFailure="REJECT_MESSAGE"
    )
    check(faults, "MAIL FROM", raised(client.send_email, **message("a@right.example.com")), "MailFromDomainNotVerifiedException")
    client.put_email_identity_mail_from_attributes(EmailIdentity="right.example.com")
    lab.tell("PUT", "/_lab/account", {"sending_paused": True})
    check(faults, "paused", raised(client.send_email, **message("a@right.example.com")), "SendingPausedException")
    day = lab.tell("GET", "/_lab/clock")["now"] // 86400 * 86400
    asked = [{**query, "StartDate": day, "EndDate": day + 86400} for query in queries("right.example.com")]
    told = client.batch_get_metric_data(Queries=asked)
    check(faults, "metrics", told["Results"][0]["Values"], [1])
    check(faults, "metrics: day", int(told["Results"][0]["Timestamps"][0].timestamp()), day)
    check(faults, "foreign metrics", told["Errors"][0]["Code"], "ACCESS_DENIED")


def list_all(list_page, size):
    """Reads a list to its end, and returns its names and how many pages it had."""
    names, pages, more = [], 0, {}
    while True:
        page = list_page(PageSize=size, **more)
        names += [listed["IdentityName"] for listed in page["EmailIdentities"]]
        pages += 1
        if "NextToken" not in page:
            return names, pages
        more = {"NextToken": page["NextToken"]}


def list_by_query(endpoint, judge):
    """Returns what lists in the old form, with a signature of botocore's, and has each page judged."""
    session, credentials = URLLib3Session(), Credentials("lab", "lab")

    def list_page(**parameters):
        request = AWSRequest("GET", f"{endpoint}/v2/email/identities", params=parameters)
        SigV4Auth(credentials, "ses", HOME).add_auth(request)
        reply = session.send(request.prepare())
        judge.reply("ListEmailIdentities", reply.status_code, reply.headers, reply.content)
        return json.loads(reply.content)

    return list_page


def drive_demo(client, endpoint, judge, faults):
    """Lists the demo in both forms, and reads each identity of it."""
    lists = {}
    for form, list_page in [("new", client.list_email_identities), ("old", list_by_query(endpoint, judge))]:
        for size in (7, 100, 1000):
            names, pages = list_all(list_page, size)
            check(faults, f"{form} pages of {size}", pages, -(-len(names) // size))
            check(faults, f"{form}: every name once", len(set(names)), len(names))
            lists[form, size] = names
    names = lists["new", 1000]
    check(faults, "all lists are alike", all(other == names for other in lists.values()), True)
    statuses = set()
    for name in names:
        told = client.get_email_identity(EmailIdentity=name)
        statuses.add(told["DkimAttributes"]["Status"])
        found = client.list_email_identities(Filter={"IDENTITY_NAME_CONTAINS": name})["EmailIdentities"]
        listed = next(one for one in found if one["IdentityName"] == name)
        check(faults, name, listed["VerificationStatus"], told["VerificationStatus"])
        check(faults, name, listed["SendingEnabled"], told["VerifiedForSendingStatus"])
    check(faults, "the demo's statuses", statuses, {"SUCCESS", "PENDING", "FAILED", "TEMPORARY_FAILURE"})
    check(faults, "PageSize 1001", raised(client.list_email_identities, PageSize=1001), "BadRequestException")
    check(faults, "another's token", raised(client.list_email_identities, NextToken="bW90bw"), "BadRequestException")
    return len(names)


def members(value, path=""):
    """Iterates over the paths of the members of a reply."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name != "ResponseMetadata":
                yield f"{path}{name}"
                yield from members(member, f"{path}{name}.")
    elif isinstance(value, list):
        for member in value:
            yield from members(member, f"{path[:-1]}[].")


def five_calls(client, look):
    """Makes the calls that moto has, with a look in between, and returns the members of each reply, or the error."""
    name = "both.example.com"
    calls = [
        ("CreateEmailIdentity", client.create_email_identity, {"EmailIdentity": name}),
        ("create twice", client.create_email_identity, {"EmailIdentity": name}),
        ("GetEmailIdentity", client.get_email_identity, {"EmailIdentity": name}),
        ("get missing", client.get_email_identity, {"EmailIdentity": "gone.example.com"}),
        ("ListEmailIdentities", client.list_email_identities, {"PageSize": 1000}),
        ("unverified", client.send_email, message("a@unverified.example")),
        ("delete", client.delete_email_identity, {"EmailIdentity": name}),
        ("delete missing", client.delete_email_identity, {"EmailIdentity": name}),
    ]
    outcomes = {}
    for what, call, arguments in calls:
        try:
            outcomes[what] = set(members(call(**arguments)))
        except ClientError as error:
            outcomes[what] = error.response["Error"]["Code"]
        look()
    return outcomes


def compare_with_moto(lab, client, faults):
    """Compares the calls that moto has, where it is installed; returns what to say about it."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError:
        return "moto is not installed, and was left out"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        theirs = five_calls(connect(f"http://{host}:{port}", HOME), lambda: None)
    finally:
        server.stop()
    ours, differences = five_calls(client, lambda: lab.tell("POST", "/_lab/look", {"identity": "both.example.com"})), set()
    for what, own in ours.items():
        their = theirs[what]
        if isinstance(own, set) and isinstance(their, set):
            differences |= {f"{what}: we add {name}" for name in own - their if name.rpartition(".")[0] not in own - their}
            differences |= {f"{what}: moto adds {name}" for name in their - own}
        elif own != their:
            differences.add(what)
    unexplained = sorted(differences - set(MOTO))
    faults += [f"moto differs, and nothing says why: {what}" for what in unexplained]
    faults += [f"moto does not differ any more: {what}" for what in sorted(set(MOTO) - differences)]
    return f"moto agrees in {len(ours)} calls but for {len(differences)} things, {len(unexplained)} of them unexplained"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program, faults = sys.argv[1], []
    model = boto3.client("sesv2", region_name=HOME).meta.service_model
    judge = Judge(model)
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder, "world.scn")
        world.write_text(WORLD)
        with Lab(program, str(world)) as lab:
            endpoint = lab.variables["AWS_ENDPOINT_URL_SESV2"]
            client, south = connect(endpoint, HOME, judge), connect(endpoint, SOUTH, judge)
            drive_identities(lab, client, south, faults)
            drive_errors(lab, client, faults)
            drive_mail(lab, client, faults)
    with Lab(program) as lab:
        endpoint = lab.variables["AWS_ENDPOINT_URL_SESV2"]
        client = connect(endpoint, HOME, judge)
        count = drive_demo(client, endpoint, judge, faults)
        moto = compare_with_moto(lab, client, faults)
    faults += judge.faults
    faults += [f"{name} was never called with success" for name in OPERATIONS if name not in judge.called]
    unseen = judge.unseen()
    faults += [f"{name} never came up" for name in sorted(unseen - set(NEVER))]
    faults += [f"{name} came up after all" for name in sorted(set(NEVER) - unseen)]
    for fault in faults:
        print(fault)
    print(
        f"{judge.replies} replies of {len(judge.called)} operations and {len(judge.errors)} errors, "
        f"{len(judge.seen)} members of the model of botocore {boto3.__version__}, {count} identities of the demo; {moto}."
    )
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
