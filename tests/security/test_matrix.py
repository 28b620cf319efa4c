"""Who can do what on NATS, tried against a real server: what is not granted here is refused there.

The server answers in order: all its refusals have come when the ping that was sent last is answered.
"""

import asyncio
import base64
import itertools
import json
from contextlib import asynccontextmanager

import nkeys
import pytest

from infra.nats.crossing import mapped
from infra.nats.rights import central, country, principals
from shared.contracts import SERVICES, registry
from shared.flow.streams import RECEIVERS, durables, stream_configs, stream_of

GTM = "GTM"
STREAMS = tuple(stream_configs())
STREAM_API = ("CREATE", "UPDATE", "DELETE", "PURGE", "INFO", "SNAPSHOT", "RESTORE", "MSG.GET", "MSG.DELETE")


class Probe:
    """One principal's bare connection: it says what it would, and hears which of it the server refuses."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def publishes(self, subjects):
        """Return those of `subjects` that it may publish to."""
        return await self._allowed("Publish", subjects, "PUB {subject} 2\r\n{{}}\r\n")

    async def subscribes(self, subjects):
        """Return those of `subjects` that it may listen to."""
        return await self._allowed("Subscription", subjects, "SUB {subject} {number}\r\n")

    async def _allowed(self, action, subjects, line):
        for number, subject in enumerate(subjects):
            self.writer.write(line.format(subject=subject, number=number).encode())
        self.writer.write(b"PING\r\n")
        answers = []
        while (answer := (await self.reader.readline()).decode()) != "PONG\r\n":
            answers.append(answer)
        refused = {}
        for subject in subjects:  # in the account of a hand the API has another name
            for named in (subject, mapped(subject)):
                refused[f"-ERR 'Permissions Violation for {action} to \"{named}\"'\r\n"] = subject
        unexpected = [answer for answer in answers if answer.startswith("-ERR") and answer not in refused]
        assert not unexpected
        return set(subjects) - {refused[answer] for answer in answers if answer in refused}


@asynccontextmanager
async def probe_of(region, principal):
    reader, writer = await asyncio.open_connection(*region.nats.url.removeprefix("nats://").split(":"))
    nonce = json.loads((await reader.readline()).removeprefix(b"INFO "))["nonce"].encode()
    pair = nkeys.from_seed(bytearray(region.seed(principal).read_bytes().strip()))
    signed = base64.urlsafe_b64encode(pair.sign(nonce)).rstrip(b"=").decode()
    connect = {"nkey": pair.public_key.decode(), "sig": signed, "verbose": False, "pedantic": False, "protocol": 1}
    writer.write(f"CONNECT {json.dumps(connect)}\r\n".encode())
    try:
        yield Probe(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


def report_subjects(name):
    return [f"crm.in.{name}.{agreed.name}" for agreed in registry().values() if agreed.reported]


def event_subjects(service):
    return [f"crm.evt.{agreed.name}.GTM" for agreed in registry().values() if agreed.service == service]


def api_subjects():
    """Everything of JetStream's API that changes or reads something, for all streams and durables."""
    streams = [f"$JS.API.STREAM.{verb}.{name}" for verb, name in itertools.product(STREAM_API, STREAMS)]
    consumers = [
        f"$JS.API.CONSUMER.{verb}.{stream}.{name}"
        for stream, wanted in durables().items()
        for name in wanted
        for verb in ("CREATE", "DURABLE.CREATE", "DELETE", "PAUSE", "RESET", "UNPIN", "INFO", "MSG.NEXT")
    ]
    direct = [f"$JS.API.DIRECT.GET.{name}" for name in STREAMS]
    acks = [f"$JS.ACK.{stream}.{name}.1.1.1.1.1" for stream, wanted in durables().items() for name in wanted]
    return [*streams, *consumers, *direct, *acks, "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST"]


def granted(patterns, subject):
    return any(matches(pattern.split("."), subject.split(".")) for pattern in patterns)


def matches(pattern, subject):
    for wanted, token in itertools.zip_longest(pattern, subject):
        if wanted == ">":
            return token is not None
        if wanted is None or token is None or wanted not in ("*", token):
            return False
    return True


EVERYTHING = [
    *itertools.chain.from_iterable(report_subjects(name) for name in (GTM, "MEX", "ST", "OPERATOR")),
    *itertools.chain.from_iterable(event_subjects(service) for service in SERVICES),
    *(f"crm.bad.{GTM}.{service}" for service in SERVICES),
    *(f"crm.ask.{GTM}.{service}.question" for service in SERVICES),
    *(
        f"crm.ask.BOARD.{service}.{asked}"
        for service in SERVICES
        for asked in ("tile", "checkpoint", "receipt", "cosign")
    ),
    *(f"crm.log.{service}" for service in SERVICES),
    "log.intel",
    *(f"_INBOX_{principal}.x" for principal in principals()),
    *("report.intel.document.flagged", "ask.intel.question", "_INBOX.x.y"),
    *("$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING.INFO", "crm.evt.intel", "crm", "anything"),
    *api_subjects(),
]


@pytest.mark.parametrize("principal", principals())
async def test_a_principal_says_and_hears_what_it_is_granted_and_nothing_else(region, principal):
    rights = country(principal) if principal in RECEIVERS else central()[principal]
    async with probe_of(region, principal) as probe:
        heard = await probe.subscribes([*LISTENING, ">"])
    assert heard == {subject for subject in LISTENING if covered(rights.subscribe, subject)}
    async with probe_of(region, principal) as probe:
        said = await probe.publishes(EVERYTHING)
    assert said == {subject for subject in EVERYTHING if granted(rights.publish, subject)}


LISTENING = [
    *("crm.in.GTM.>", "crm.evt.intel.>", "crm.evt.>", "crm.bad.>", "report.>", "$JS.ACK.>", "$JS.API.>", "$SYS.>"),
    *(f"crm.ask.*.{service}.>" for service in SERVICES),
    *(f"_INBOX_{principal}.>" for principal in principals()),
    "_INBOX.>",
    *("log.*", "crm.log.>", "crm.log.intel"),
]


def covered(patterns, wide):
    return any(pattern == wide or (pattern.endswith(".>") and wide.startswith(pattern[:-1])) for pattern in patterns)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_granted_its_own_stream_and_no_other(service):
    rights = central()[service]
    for other in SERVICES:
        for subject in event_subjects(other):
            assert granted(rights.publish, subject) == (other == service)
    changing = [f"$JS.API.STREAM.{verb}.{name}" for verb in STREAM_API[:4] for name in STREAMS]
    changing += [f"$JS.API.STREAM.{verb}.{name}" for verb in STREAM_API[5:] for name in STREAMS]
    assert not [subject for subject in changing if granted(rights.publish, subject)]
    foreign = [f"$JS.API.CONSUMER.MSG.NEXT.{stream_of(other)}.{other}" for other in SERVICES if other != service]
    assert not [subject for subject in foreign if granted(rights.publish, subject)]


@pytest.mark.parametrize("principal", central())
def test_nobody_listens_where_a_stream_does(principal):
    kept = [subject for config in stream_configs().values() for subject in config.get("subjects", [])]
    heard = central()[principal].subscribe
    assert not [subject for subject in kept if granted(heard, subject.replace("*", "x").replace(">", "x"))]
    assert not any(pattern.startswith(("crm.in.", "crm.evt.", "crm.bad.", "crm.>", ">", "*")) for pattern in heard)


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_country_is_granted_nothing_of_another(name):
    rights = country(name)
    for other in RECEIVERS:
        subjects = (f"$JS.API.CONSUMER.MSG.NEXT.MAILBOX.{other}", f"$JS.ACK.MAILBOX.{other}.1.1.1.1.1")
        assert {granted(rights.publish, subject) for subject in subjects} == {other == name}


async def test_nobody_comes_in_without_a_key(region):
    address = region.nats.url.removeprefix("nats://").split(":")
    reader, writer = await asyncio.open_connection(*address)
    assert (await reader.readline()).startswith(b"INFO ")
    writer.write(b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n')
    assert await reader.readline() == b"-ERR 'Authorization Violation'\r\n"
    writer.close()
    await writer.wait_closed()
