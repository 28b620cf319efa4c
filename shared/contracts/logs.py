"""The questions about a service's log itself, alike for each service: what was signed of it, and proofs of that.

Texts are in the formats of C2SP: a checkpoint is a signed note, a receipt a `tlog-proof`, hashes are in Base 64.
"""

from typing import Annotated

from msgspec import Meta

from shared.contracts import SERVICES, EventId, Source
from shared.contracts.bounds import END
from shared.contracts.questions import POSITION_MAX, Answer, Ask, question

DASH = "\N{EM DASH}"
"""With what a line of a signature begins (C2SP signed-note)."""

Rows = Annotated[int, Meta(ge=0, le=POSITION_MAX)]
Line = Annotated[
    str,
    Meta(min_length=8, max_length=500, pattern=f"^{DASH}" + rf" [^\s+]{{1,200}} [A-Za-z0-9+/]{{4,200}}={{0,2}}{END}"),
]


class CheckpointAnswer(Answer, frozen=True, kw_only=True):
    """The newest checkpoint, and the proof that it goes on from what the asking country saw before."""

    checkpoint: str = ""
    """Signed by the service, with all cosignatures; empty: nothing was signed yet."""
    root: str = ""
    """The root over the first `since` rows, as the log has them now; empty if it has not so many."""
    proof: tuple[str, ...] = ()
    """From that root to the checkpoint's (RFC 6962, 2.1.2)."""


@question("checkpoint", *SERVICES, answer=CheckpointAnswer, good={"since": 0}, audited=False)
class CheckpointAsk(Ask, frozen=True, kw_only=True):
    """Asks what the service signed of its log."""

    since: Rows = 0
    """Of how many rows the checkpoint was that the country saw before."""
    cosigned: Annotated[int, Meta(ge=0, le=64)] = 0
    """Asks for the newest that so many countries cosigned, if there is one."""


class TileAnswer(Answer, frozen=True, kw_only=True):
    """A tile of the log's tree."""

    hashes: str = ""
    """Up to 256; empty: there is no such tile in the tree of that size."""


@question("tile", *SERVICES, answer=TileAnswer, good={"level": 0, "number": 0}, audited=False)
class TileAsk(Ask, frozen=True, kw_only=True):
    """Asks for a tile of the log's tree (C2SP tlog-tiles)."""

    level: Annotated[int, Meta(ge=0, le=7)]
    number: Rows
    size: Rows | None = None
    """In the tree of so many rows; by default of those that were signed last."""


class ReceiptAnswer(Answer, frozen=True, kw_only=True):
    """The proof that a row stands in the log."""

    receipt: str = ""
    """A `tlog-proof` whose extra data are what the leaf covers; empty: no such row of this country was signed yet."""
    cosigned: int = 0
    """How many countries cosigned its checkpoint."""


@question("receipt", *SERVICES, answer=ReceiptAnswer, good={"id": "e-1"}, audited=False)
class ReceiptAsk(Ask, frozen=True, kw_only=True):
    """Asks for the proof that a report of the asking country, or what it was told, stands in the log."""

    id: EventId
    source: Source | None = None
    """Of several systems of the country that gave the same id, the one that is meant."""
    cosigned: Annotated[int, Meta(ge=0, le=64)] = 0
    """Asks for one whose checkpoint so many countries cosigned, if there is one."""


class CosignAnswer(Answer, frozen=True, kw_only=True):
    """That a cosignature was taken."""

    cosigned: int
    """How many countries have cosigned that checkpoint."""


@question(
    "cosign", *SERVICES, answer=CosignAnswer, good={"size": 1, "line": "\N{EM DASH} crm.region/witness/GTM AAAA"},
    audited=False,
)  # fmt: skip
class CosignAsk(Ask, frozen=True, kw_only=True):
    """Hands in the asking country's cosignature of a checkpoint (C2SP tlog-cosignature)."""

    size: Rows
    """Of the checkpoint."""
    line: Line
    """The signature's line, as it stands in a note."""
