"""What is decided of a person must fit the crime of which the person was identified as a victim."""

from collections.abc import Iterable
from typing import Any

from services.victims.judgements.notices import Told
from shared.contracts import Refused
from shared.contracts.sense import contradiction
from shared.contracts.victims import VictimIdentified, VictimStatusChanged
from shared.contracts.victims.people import CRIME_OF, VICTIMS
from shared.record.judgement import Reading, Standing


class Crimes(Told):
    """A status of another crime is refused; what was said at the identification is corrected first."""

    reports = (VictimIdentified, VictimStatusChanged)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the person, where the report identifies it as a victim."""
        if isinstance(report.data, VictimIdentified) and report.data.status in VICTIMS:
            yield identified(report.country, report.data.victim_pid)

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Refuse a status of another crime."""
        if isinstance(report.data, VictimStatusChanged):
            _checked(report, read)

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Hold the corrected status to the same."""
        del before
        if after is not None:
            self.admit(after, read)


def identified(country: str, victim_pid: str) -> str:
    """Return the thing that the identifications of a person as a victim are."""
    return f"identified/{country}/{victim_pid}"


def _checked(report: Standing[VictimStatusChanged], read: Reading) -> None:
    meant = CRIME_OF.get(report.data.to)
    if meant is None or read.again:
        return
    known = {one.data.offence for one in read.about(identified(report.country, report.data.victim_pid))}
    if known and meant not in known:
        raise Refused(contradiction("to", "the person was identified as a victim of another crime: correct that first"))
