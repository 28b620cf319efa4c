"""A message as it was taken: out of a stream, or again out of `aside`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg

SHORT_REPLY = 9
"""Tokens of an acknowledgement's subject without domain and account."""
SUBJECT_COUNTRY = 2
"""The token of `crm.in.<country>.…` that names whose report it is."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a stream holds under one sequence."""

    stream: str
    sequence: int
    stored: int
    """When the stream stored it (ns since 1970)."""
    subject: str
    headers: Mapping[str, str] | None
    payload: bytes

    @property
    def key(self) -> tuple[str, int, int]:
        """What tells it from every other, also where a stream was made anew."""
        return self.stream, self.sequence, self.stored

    @property
    def country(self) -> str:
        """Whose report it is, by the subject that the server made; of an event, whose mailbox it belongs to."""
        tokens = self.subject.split(".")
        return tokens[SUBJECT_COUNTRY] if tokens[1] == "in" else tokens[-1]

    @property
    def stored_at(self) -> datetime:
        """When the stream stored it, to the microsecond."""
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self.stored // 1000)


def taken(message: Msg) -> Taken:
    """Return a message of a stream; its place is read out of where its acknowledgement goes.

    (`$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<sequence>.<n>.<stored>.<pending>…`)
    """
    tokens = message.reply.split(".")
    at = 2 if len(tokens) == SHORT_REPLY else 4
    return Taken(
        stream=tokens[at],
        sequence=int(tokens[at + 3]),
        stored=int(tokens[at + 5]),
        subject=message.subject,
        headers=message.headers,
        payload=message.data,
    )


def packed(headers: Mapping[str, str] | None) -> bytes:
    """Return headers as the table keeps them, whatever characters are in them."""
    return json.dumps(dict(headers or {})).encode()


def unpacked(headers: bytes) -> dict[str, str] | None:
    """Return headers that `packed` made."""
    found: dict[str, str] = json.loads(headers)
    return found or None
