"""Canaries: a text of its own for each field of each report, found again however it is written down."""

import base64
import random
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from string import ascii_lowercase
from typing import Any, NamedTuple

import msgspec

from shared import contracts
from shared.contracts import Contract, Refused
from shared.contracts.privacy import Class, Path, classes, free
from shared.contracts.report import accepted
from shared.contracts.schema import example
from tests.fuzz.edges import Sent
from tests.harness.speaking import NOW

PREFIX = "cnaryqz"
LETTERS = 8
"""Behind the prefix, drawn by chance: two canaries run together, or compressed by PostgreSQL, are no third one."""
PLAIN = re.compile(f"{PREFIX}[a-z]{{{LETTERS}}}".encode())


class Canary(NamedTuple):
    """What a canary was put into, and how: `as_it_should_be`, `wrong`, or a place of the envelope."""

    about: str
    how: str
    privacy: Class = "P"


@dataclass
class Aviary:
    """All canaries by their text."""

    known: dict[str, Canary] = field(default_factory=dict)

    def fresh(self, about: str, how: str, privacy: Class = "P") -> str:
        letters = "".join(random.SystemRandom().choices(ascii_lowercase, k=LETTERS))
        self.known[PREFIX + letters] = Canary(about, how, privacy)
        return PREFIX + letters

    # --- reports ---------------------------------------------------------------------------------------------------
    def good(self, agreed: Contract) -> tuple[Sent, set[str]]:
        """A report with a canary in each free field that takes one, and these canaries."""
        country = sender(agreed)
        report = whole(agreed, country)
        report["id"] = f"{self.fresh(agreed.name, 'id')}-1"
        report["causationid"] = f"{self.fresh(agreed.name, 'causationid')}-1"
        report["correlationid"] = f"{self.fresh(agreed.name, 'correlationid')}-1"
        for name, text in (("tracestate", "x={}"), ("dataschema", "urn:{}"), ("datacontenttype", "{}")):
            told = self.fresh(agreed.name, "not kept")
            report[name] = f'application/json;x="{told}"' if name == "datacontenttype" else text.format(told)
        for path in free(agreed):
            self._put(agreed, report, path, country)
        used = {one.decode() for one in PLAIN.findall(msgspec.json.encode(report))}
        return Sent(country, f"report.{agreed.name}", msgspec.json.encode(report), agreed.name), used

    def _put(self, agreed: Contract, report: dict[str, Any], path: Path, country: str) -> None:
        """Put a canary into a field in the first form that the contract takes; else leave the field."""
        told = self.fresh(f"{agreed.name}/{'/'.join(path)}", "as it should be", classes(agreed)[path])
        before = deepcopy(report)
        for form in ("{}-1", "urn:crm:vault:" + country + ":{}-1", "{}", "https://example.org/{}", "A_{}", "{}.v1"):
            for listed in (False, True):
                text = form.format(told)
                if not _set(report["data"], path, [text] if listed else text):
                    continue
                if "subject" in report and agreed.entity == path[0]:
                    report["subject"] = text
                if fits(agreed, report, country):
                    return
                report.clear()
                report.update(deepcopy(before))
        del self.known[told]

    def wrong(self, agreed: Contract) -> Sent:
        """A report with what nobody may send in each free field, and in one that there is not."""
        country = sender(agreed)
        report = whole(agreed, country)
        for path in free(agreed):
            told = self.fresh(f"{agreed.name}/{'/'.join(path)}", "wrong")
            _set(report["data"], path, f"Mar\u00eda \u201c{told}\u201d <b>")
        report["data"][self.fresh(agreed.name, "wrong") + " \u00f1"] = {self.fresh(agreed.name, "wrong"): 1}
        report[self.fresh(agreed.name, "wrong")] = self.fresh(agreed.name, "wrong")
        report["id"] = "Mar\u00eda " + self.fresh(agreed.name, "wrong")
        for name in ("subject", "source", "time", "dataschema", "traceparent"):
            report[name] = "Mar\u00eda " + self.fresh(agreed.name, "wrong")
        return Sent(country, f"report.{agreed.name}", msgspec.json.encode(report), agreed.name)

    def rubbish(self, country: str = "GTM") -> Iterator[Sent]:
        """What is no report at all, or in another form."""

        def told(how: str = "wrong") -> str:
            return self.fresh("rubbish", how)

        subject = "report.victims.victim.identified"
        yield Sent(country, subject, f"Mar\u00eda {told()}".encode(), "rubbish")
        yield Sent(country, subject, b"\xff\xfe" + told().encode("utf-16-le") + told().encode(), "rubbish")
        yield Sent(country, subject, f'{{"id": "{told()}", "id": "{told("id")}"}}'.encode(), "rubbish")
        yield Sent(country, subject, f'{{"type": "crm.{told()}.v1"}}'.encode(), "rubbish")
        yield Sent(country, f"report.victims.{told()}.{told()}", b"{}", "rubbish")
        headers = {"ce-id": f"Mar {told()}", "ce-subject": told(), f"ce-{told()}": told(), "X": told()}
        yield Sent(country, subject, f'{{"victim_pid": "M {told()}"}}'.encode(), "rubbish", headers)


def sender(agreed: Contract) -> str:
    """Who may send a type's example."""
    data = agreed.good.get("data", agreed.good)
    named = next((one.encode_name for one in msgspec.structs.fields(agreed.data) if one.name == agreed.owner), "")
    return data.get(named, "GTM")


def whole(agreed: Contract, country: str) -> dict[str, Any]:
    """The contract's example as a whole report of a country."""
    report: dict[str, Any] = deepcopy(example(agreed))
    text = msgspec.json.encode(report).decode().replace(":GTM:", f":{country}:")
    report = msgspec.json.decode(text)
    report |= {"source": contracts.source_of(country, "canary"), "time": NOW.isoformat()}
    return report


def fits(agreed: Contract, report: dict[str, Any], country: str) -> bool:
    try:
        accepted(f"crm.in.{country}.{agreed.name}", None, msgspec.json.encode(report), NOW)
    except Refused:
        return False
    return True


def _set(data: Any, path: Path, value: Any) -> bool:
    """Set a field; say whether there is a place for it."""
    for name in path[:-1]:
        data = data.get(name) if isinstance(data, dict) else None
        if isinstance(data, list):
            data = data[0] if data else None
    if not isinstance(data, dict):
        return False
    data[path[-1]] = value
    return True


# --- finding them again --------------------------------------------------------------------------------------------
ESCAPED = re.compile(rb"(?:\\+u[0-9a-fA-F]{4}){15,}")
PERCENT = re.compile(rb"(?:%[0-9a-fA-F]{2}){15,}")
HEXED = re.compile(rb"(?i:" + PREFIX.encode().hex().encode() + rb")[0-9a-fA-F]{16}")
BASE64 = re.compile(
    b"|".join(
        re.escape(base64.b64encode(b"x" * shift + PREFIX.encode()).rstrip(b"=")[(8 * shift + 5) // 6 : -1])
        for shift in range(3)
    )
)
"""What stands in base64 (of either alphabet: the prefix has neither + nor /) of a canary, wherever it begins."""
RUN = re.compile(rb"[A-Za-z0-9+/_-]+")
AROUND = 120


def found(content: bytes) -> set[str]:
    """All canaries in a content: plain, in UTF-16, hexadecimal, base64, percent and JSON escapes."""
    seen = {one.decode() for one in PLAIN.findall(content)}
    if b"\0" in content:
        seen |= {one.decode() for one in PLAIN.findall(content.replace(b"\0", b""))}
    seen |= {bytes.fromhex(one.decode()).decode(errors="replace") for one in HEXED.findall(content)}
    for one in ESCAPED.findall(content):
        seen |= {each.decode() for each in PLAIN.findall(bytes.fromhex(re.sub(rb"\\+u(00)?", b"", one).decode()))}
    for one in PERCENT.findall(content):
        seen |= {each.decode() for each in PLAIN.findall(bytes.fromhex(one.replace(b"%", b"").decode()))}
    for hit in BASE64.finditer(content):
        window = content[max(0, hit.start() - AROUND) : hit.end() + AROUND].translate(bytes.maketrans(b"-_", b"+/"))
        for run in RUN.findall(window):
            for shift in range(4):
                part = run[shift:]
                whole_ones = base64.b64decode(part + b"A" * (-len(part) % 4))
                seen |= {one.decode() for one in PLAIN.findall(whole_ones)}
    return seen
