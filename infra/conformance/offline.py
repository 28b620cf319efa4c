"""What the region's door would say of each line of a file, without a region.

It cannot know what is on record: who holds a seat, whether what a report refers to has come.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from infra.conformance.verdict import Verdict
from shared.contracts import Problem, Refused, sender_of
from shared.contracts.report import accepted, said
from shared.flow.streams import REPORT_BYTES_MAX, SENDERS


class _Head(msgspec.Struct):
    """What says where a report belongs."""

    type: str
    source: str


_head = msgspec.json.Decoder(_Head)
CONFLICT = "another line has this id with other content; give each report its own"


def judged(lines: Iterable[bytes], now: datetime, sender: str = "") -> Iterator[Verdict]:
    """Yield a verdict for each line that is not empty; `sender`: whose reports they are, else as their source says."""
    seen: dict[tuple[str, str], bytes] = {}
    for number, line in enumerate(lines, start=1):
        payload = line.strip()
        if not payload:
            continue
        problems = _problems(payload, now, sender, seen)
        codes = ", ".join(dict.fromkeys(one.code for one in problems))
        yield Verdict(f"line {number}", codes or "conforms", tuple(map(_told, problems)))


def _problems(payload: bytes, now: datetime, sender: str, seen: dict[tuple[str, str], bytes]) -> tuple[Problem, ...]:
    if len(payload) > REPORT_BYTES_MAX:
        return (Problem("", "too_large", f"a report has at most {REPORT_BYTES_MAX} bytes"),)
    try:
        head = _head.decode(payload)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        head = _Head("crm.unknown.unknown.unknown.v1", "")
    named = sender_of(head.source)
    whose = sender or (named if named in SENDERS else "GTM")
    name = head.type.removeprefix("crm.").rpartition(".")[0]
    try:
        event = accepted(f"crm.in.{whose}.{name if name.count('.') else 'unknown.unknown.unknown'}", None, payload, now)
    except Refused as verdict:
        return tuple(verdict.problems)
    digest = said(None, payload, event)
    if seen.setdefault((event.source, event.id), digest) != digest:
        return (Problem("/id", "id_conflict", CONFLICT),)
    return ()


def _told(one: Problem) -> str:
    meant = f" (did you mean {one.suggestion}?)" if one.suggestion else ""
    return f"{one.pointer or '/'}: {one.message} [{one.code}]{meant}"
