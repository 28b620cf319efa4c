"""A message as it was taken: out of a stream, or again out of `aside`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from nats.aio.msg import Msg

Key: TypeAlias = tuple[str, int, int]
"""(stream, sequence, when it was stored)"""
SHORT_REPLY = 9
"""Tokens of an acknowledgement's subject without domain and account."""
REPORTS, SUBJECT_COUNTRY = "crm.in.", 2
"""How a report's subject begins, and the token of `crm.in.<country>.…` that names whose it is."""


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
    def place(self) -> str:
        """Its key, as one text."""
        return f"{self.stream}|{self.sequence}|{self.stored}"

    @property
    def key(self) -> Key:
        """What tells it from every other, also where a stream was made anew."""
        return self.stream, self.sequence, self.stored

    @property
    def is_report(self) -> bool:
        """Whether a country sent it; else another service recorded it."""
        return self.subject.startswith(REPORTS)

    @property
    def country(self) -> str:
        """Whose report it is, by the subject that the server made; of an event, whose mailbox it belongs to."""
        return self.subject.split(".")[SUBJECT_COUNTRY if self.is_report else -1]

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
