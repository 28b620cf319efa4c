"""What `crm verify` looks at, of a row and its message: no byte of it can be another unseen."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.recovery import reading, verify
from infra.recovery.recount import Recount
from infra.recovery.verify import Comparison, _between, look
from shared.contracts import Event, registry
from shared.contracts.signing import HEADER
from shared.flow.relay import subject
from shared.record import tree
from shared.record.chain import GENESIS, chained
from tests.harness.speaking import NOW

TYPES = sorted(registry())
AT = 2
"""The row that is changed."""
ROWS = 3
SECRET = bytes(range(32))
COLUMNS = {"id", "source", "type", "country", "entity", "payload", "hash", "signature", "position", "named"}


def written(wire, signed=True):
    """The rows of a log, as they come from the database, and the messages, as they come from the server."""
    rows, messages, before = [], [], GENESIS
    for position in range(1, ROWS + 1):
        agreed = registry()[wire]
        event = Event(
            specversion="1.0",
            id=f"e-{position}",
            source="urn:crm:country:GTM:test",
            type=wire,
            time=NOW,
            country="GTM",
            data=msgspec.convert(agreed.good, agreed.data),
            recordedtime=NOW,
            sequence=position,
            subject=f"t-{position}",
        )
        payload = msgspec.json.encode(event)
        before = chained(before, payload)
        row = {name: getattr(event, name) for name in ("id", "source", "type", "country")}
        row |= {"entity": event.subject, "position": position, "payload": payload, "hash": before, "named": position}
        rows.append(row | {"signature": b"eyJhbGciOi.eyJpZCI6.c2ln" if signed else None})
        messages.append([subject(wire, "GTM").encode(), payload, rows[-1]["signature"] or b""])
    return rows, messages


def answered(position, parts):
    """A message of a stream as the server gives it."""
    name, payload, signature = parts
    own = b"\r\nNats-Batch-Id: N6zK5PM5\r\nNats-Batch-Sequence: %d" % position
    own += b"\r\n%b: %b" % (HEADER.encode(), signature) if signature else b""
    added = b"\r\nNats-Stream: T\r\nNats-Subject: %b\r\nNats-Sequence: %d\r\nNats-Time-Stamp: 2026-11-28T09:53:21Z"
    added += b"\r\nNats-Num-Pending: 1\r\nNats-Last-Sequence: 0\r\n\r\n"
    return reading.message(b"NATS/1.0" + own + added % (name, position), payload)


def rooted(rows):
    """The root of the tree over rows, by its own definition."""
    edge = tree.Edge()
    for row in rows:
        salt = tree.salted(SECRET, row["position"])
        edge.add(tree.leaf(tree.entry(row["position"], salt, row["payload"], row["signature"] or b"")))
    return edge.root()


def looked_at(rows, messages, root):
    found = Comparison("training", sequence=ROWS, tree=Recount("training", None, SECRET, {ROWS: [(root, "signed")]}))
    for row, position in zip(rows, range(1, ROWS + 1), strict=True):
        look(found, row, answered(position, messages[position - 1]))
    return found


def other(value, at, mask):
    """The value with one byte changed; of a text that is none then, with one character."""
    if isinstance(value, int):
        return value ^ mask
    if isinstance(value, str):
        place = at % len(value)
        return value[:place] + chr(ord(value[place]) ^ mask) + value[place + 1 :]
    changed = bytearray(value)
    changed[at % len(value)] ^= mask
    return bytes(changed)


byte = {"at": st.integers(0, 10_000), "mask": st.integers(1, 255), "wire": st.sampled_from(TYPES)}


@pytest.mark.parametrize("wire", TYPES)
@pytest.mark.parametrize("signed", [True, False])
def test_nothing_is_wrong_with_what_was_recorded(wire, signed):
    rows, messages = written(wire, signed)
    assert not looked_at(rows, messages, rooted(rows)).wrong()


@given(**byte, column=st.sampled_from(sorted(COLUMNS)))
def test_any_byte_of_a_column_that_is_another_is_found(at, mask, wire, column):
    rows, messages = written(wire)
    root = rooted(rows)
    assert {*rows[AT]} == COLUMNS, "no column is left out"
    rows[AT][column] = other(rows[AT][column], at, mask)
    assert looked_at(rows, messages, root).wrong()


@given(**byte, part=st.integers(0, 2))
def test_any_byte_of_a_message_that_is_another_is_found(at, mask, wire, part):
    rows, messages = written(wire)
    messages[AT][part] = other(messages[AT][part], at, mask)
    assert looked_at(rows, messages, rooted(rows)).wrong()


@given(**byte)
def test_any_byte_that_row_and_message_have_otherwise_is_found_though_the_chain_is_made_anew(at, mask, wire):
    rows, messages = written(wire)
    root = rooted(rows)
    rows[AT]["payload"] = messages[AT][1] = other(rows[AT]["payload"], at, mask)
    before = GENESIS
    for row in rows:
        before = row["hash"] = chained(before, row["payload"])
    assert looked_at(rows, messages, root).wrong()


def test_a_message_that_is_gone_or_another_s_is_found():
    rows, messages = written(TYPES[0])
    found = Comparison("training", sequence=ROWS)
    for row, message in zip(rows, (None, answered(3, messages[2]), answered(3, messages[2])), strict=True):
        look(found, row, message)
    assert (found.missing, found.differing) == ([1, 2], [])


def test_what_a_sender_puts_before_the_server_s_own_headers_counts_for_nothing():
    _, messages = written(TYPES[0])
    forged = b"NATS/1.0\r\nNats-Stream: T\r\nNats-Subject: crm.evt.forged\r\nNats-Sequence: 99"
    for added in (b"\r\nNats-Subject: s\r\nNats-Sequence: 7\r\n\r\n", answered_head(messages[0])):
        message = reading.message(forged + added, b"{}")
        assert (message.sequence, message.subject) == (7, "s")


def answered_head(_):
    own = b"\r\nNats-Stream: T\r\nNats-Subject: s\r\nNats-Sequence: 7\r\nNats-Time-Stamp: x"
    return own + b"\r\nNats-Num-Pending: 1\r\nNats-Last-Sequence: 0\r\n\r\n"


@given(st.sets(st.integers(0, 40)), st.randoms())
def test_what_is_missing_between_is_told_in_whatever_order_it_comes(held, chance):
    spans = [[at, at] for at in held]
    chance.shuffle(spans)
    assert _between(spans) == sorted({*range(min(held), max(held))} - held) if held else _between(spans) == []


@pytest.mark.parametrize("services", [["intel", "legal"], ["intel"], ["legal"], ["victims"]])
async def test_what_mailbox_lacks_is_told_of_each_service_that_is_asked_for(services, monkeypatch):
    held = [("intel", 4), ("legal", 1), ("intel", 5), ("intel", 8), ("legal", 2), ("intel", 7), ("intel", 11)]

    async def messages(_nc, _stream, _first, wanted):
        for service, at in held:
            name = f"crm.evt.{service}.a.b.GTM"
            if wanted == ">" or name.startswith(wanted.removesuffix(">")):
                yield reading.Message(0, name, b"", f"{service.upper()} {at} > > {name} x")
        yield reading.Message(0, "strange", b"", "X 1")

    monkeypatch.setattr(verify, "messages", messages)
    lacking = {"intel": [6, 9, 10], "legal": [], "victims": []}
    assert await verify.unmailed(None, services) == {service: lacking[service] for service in services}
