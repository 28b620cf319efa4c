"""What countries commit themselves to in the Plan's meetings (Plan IE 2.1)."""

from typing import ClassVar

from shared.contracts import Count, Data, Ref, Time, contract
from shared.contracts.identity import Owners
from shared.contracts.intel.network import BODIES
from shared.contracts.sense import Fact
from shared.contracts.tallies import ByLabel, Shifts, Since, Tallied, Tally
from shared.contracts.vocabulary import Country, DataRef

COMMITMENT_REMIND_DAYS = 7
"""So long before it is due who owes a commitment is reminded of it."""


@contract(
    "intel.commitment.agreed",
    good={"commitment_id": "co-4", "country": "GTM", "due": "2004-10-05T00:00:00Z", "reported_by": "ppt"},
    bad=("due", "soon"),
    owner="country",
    behalf=BODIES,
    entity="commitment_id",
    tallies=(Tally("commitment", ("country", "commitment_id"), "change", regional=True),),
    rows=("IE-2.1b",),
)
class CommitmentAgreed(Fact, frozen=True, kw_only=True):
    """A meeting agreed that a country does something by a date (Plan IE 2.1)."""

    awaited: ClassVar[tuple[str, ...]] = ("due",)

    commitment_id: Ref
    country: Country
    """Who owes it."""
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    due: Time
    text_ref: DataRef | None = None
    change: Tallied | None = None


@contract(
    "intel.commitment.fulfilled",
    good={"commitment_id": "co-4", "country": "GTM", "reported_by": "immigration"},
    bad=("country", "EU"),
    owner="country",
    behalf=BODIES,
    entity="commitment_id",
    derived=("late",),
    tallies=(
        Tally("commitment", ("country", "commitment_id"), "change", opens=False, regional=True),
        Tally("commitment_kept", ("country", "commitment_id"), "kept", shifts="counts", regional=True, said=("late",)),
        Since("commitment", ("country", "commitment_id"), "latency_s", regional=True, only="commitment_kept"),
    ),
    rows=("IE-2.1b",),
)
class CommitmentFulfilled(Fact, frozen=True, kw_only=True):
    """A commitment was kept."""

    commitment_id: Ref
    country: Country
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
    late: bool | None = None
    change: Tallied | None = None
    counts: Shifts | None = None
    """What it changes of their number; absent: recorded before each counted once."""
    kept: Tallied | None = None
    """Once, though both who owes it and the presidency may say so."""
    latency_s: Count | None = None
    by_label: ByLabel | None = None


@contract(
    "intel.commitment.overdue",
    good={"commitment_id": "co-4", "country": "GTM", "due": "2003-10-07T00:00:00Z"},
    bad=("due", ...),
    entity="commitment_id",
    rows=("IE-2.1b",),
)
class CommitmentOverdue(Data, frozen=True, kw_only=True):
    """A commitment was not kept in time."""

    commitment_id: Ref
    country: Country
    due: Time
    owners: Owners | None = None
    """Whose identifiers these are, by field; not in what was recorded before identifiers had owners."""
