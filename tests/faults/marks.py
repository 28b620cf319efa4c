"""A ledger of a byte per report, for millions of them: it must not grow while the growth of others is measured."""

from collections import Counter
from collections.abc import Iterator

from shared.contracts import SERVICES
from tests.faults.ledger import ANSWER, POISON, Ledger, Report

TRIED, ACKNOWLEDGED, RECORDED, MAY_BE_REFUSED, RUBBISH = 1, 2, 4, 8, 16
SERVICE_BIT = 5


class Marks(Ledger):
    """What became of each report, by its country and its number there; no file, no report kept."""

    def __init__(self) -> None:
        self.tried = 0
        self._marks: dict[str, bytearray] = {}

    def close(self) -> None:
        pass

    def attempt(self, reports: list[Report]) -> None:
        for one in reports:
            mark = TRIED | SERVICES.index(one.service) << SERVICE_BIT
            mark |= {ANSWER: MAY_BE_REFUSED, POISON: RUBBISH}.get(one.kind, 0)
            self.tried += not self._mark(one.id, mark) & TRIED

    def acknowledge(self, reports: list[Report], sequence: int) -> None:  # noqa: ARG002 - as the ledger has it
        for one in reports:
            self._mark(one.id, ACKNOWLEDGED)

    def unknown(self, reports: list[Report], error: Exception) -> None:
        pass

    def fault(self, what: str, **more: object) -> None:
        pass

    def recorded(self, service: str, report_id: str) -> Iterator[str]:
        """Note that a report stands in a service's log; yield what is wrong with that."""
        before = self._mark(report_id, RECORDED)
        if not before & TRIED or before & RUBBISH or SERVICES[before >> SERVICE_BIT] != service:
            yield f"ghost {report_id} in {service}"
        if before & RECORDED:
            yield f"doubled {report_id} in {service}"

    def lost(self) -> Iterator[str]:
        """Yield what was acknowledged and stands in no log; an answer may have come too late."""
        for country, marks in self._marks.items():
            for number, mark in enumerate(marks):
                if mark & ACKNOWLEDGED and not mark & (RECORDED | RUBBISH | MAY_BE_REFUSED):
                    yield f"lost {country}-{number}"

    def counts(self) -> dict[str, int]:
        every = Counter(mark & (ACKNOWLEDGED | RECORDED | RUBBISH) for marks in self._marks.values() for mark in marks)
        return {
            "reports": self.tried,
            "acknowledged": sum(number for mark, number in every.items() if mark & ACKNOWLEDGED),
            "recorded": sum(number for mark, number in every.items() if mark & RECORDED),
            "poison": sum(number for mark, number in every.items() if mark & RUBBISH),
        }

    def _mark(self, report_id: str, mark: int) -> int:
        """Add to the mark of a report, `[poison-]GTM-123`; return what it was before."""
        country, _, number = report_id.removeprefix("poison-").partition("-")
        marks = self._marks.setdefault(country, bytearray())
        at = int(number)
        if at >= len(marks):
            marks.extend(bytes(at + 1 - len(marks)))
        before = marks[at]
        marks[at] = before | mark
        return before
