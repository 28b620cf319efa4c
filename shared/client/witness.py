"""A country as witness: it holds the services' logs to what they signed, cosigns, and keeps evidence of what is wrong.

    witness = Witness.of(Path("keys"), "GTM", Path("witnessed"))
    await witness.watch(client)

For each log the last checkpoint seen is a file in a folder of the country's own. Whatever the region shows next must be
proven to go on from it. If it is not, both checkpoints and the proof are written down as evidence that anybody can
check, and nothing of that log is cosigned any more.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct
from nats.aio.msg import Msg

from shared.client.errors import ClientError
from shared.contracts import SERVICES
from shared.contracts.logs import CheckpointAnswer, ReceiptAnswer
from shared.record import note, tree
from shared.record.note import Checkpoint, NoteError, Receipt, Signer, Verifier
from shared.record.tree import UnprovenError

if TYPE_CHECKING:
    from shared.client import CountryClient

LOGS, WITNESSES = "logs", "witnesses"
"""Files with public keys, one a line."""
LOOK_S = 30.0
"""How often a log is asked about that nothing is heard of."""
RECEIPT_POLL_S = 0.1

Kind = Literal["rewritten", "forked", "shrunk", "unproven"]
WHY: dict[Kind, str] = {
    "rewritten": "the log that is shown does not begin with the rows that were signed before",
    "forked": "two checkpoints of the same size were signed, over different rows",
    "shrunk": "the log that is shown is shorter than the one that was signed before",
    "unproven": "the log shows no proof that it begins with the rows that were signed before",
}


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the log signed, and what does not fit; a file that a third party can check (docs/integrating.md)."""

    kind: Kind
    why: str
    key: str
    """The log's public key (vkey): what whoever checks this has to have from elsewhere."""
    found: datetime
    seen: str
    """The checkpoint that was seen first."""
    shown: str
    """The other one; empty: none is shown any more."""
    root: str = ""
    """The root over the first rows, as many as `seen` has, in the tree of `shown`."""
    proof: tuple[str, ...] = ()
    """From `root` to the root of `shown`."""


class RewrittenError(ClientError):
    """A log is not what it was: `evidence` says what was signed, `file` where it was written down."""

    def __init__(self, evidence: Evidence, file: Path) -> None:
        super().__init__(f"{evidence.why}: {file}")
        self.evidence, self.file = evidence, file


class UnsignedError(ClientError):
    """What the region shows is not signed by the log, or is no checkpoint of it."""


@dataclass(slots=True)
class Witness:
    """One country's memory of the logs."""

    folder: Path
    """Where the last checkpoint of each log and the evidence lie."""
    logs: Sequence[Verifier]
    signer: Signer | None = None
    """With what it cosigns; without it, it only watches."""
    witnesses: Sequence[Verifier] = ()
    """Whose cosignatures it knows."""
    clock: Callable[[], float] = time.time
    _given_up: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, keys: Path, country: str, folder: Path) -> "Witness":
        """Return the witness of a country whose key, and the public keys of all, lie in `keys`; NoteError, OSError."""
        own = keys / f"{country}.witness"
        signer = note.signer_in(own) if own.exists() else None
        return cls(folder, note.verifiers_in(keys / LOGS), signer, note.verifiers_in(keys / WITNESSES))

    async def watch(self, client: "CountryClient", found: Callable[[RewrittenError], None] | None = None) -> None:
        """Look at each log when it is signed anew, and cosign it, for ever.

        RewrittenError where one is not what it was; with `found`, that is called instead, and the others watched on.
        """
        heard: asyncio.Queue[str] = asyncio.Queue()

        async def hear(message: Msg) -> None:
            heard.put_nowait(message.subject.rpartition(".")[2])

        subscription = await client.client.subscribe("log.*", cb=hear)
        waiting = set(SERVICES)
        try:
            while True:
                for service in sorted(waiting - self._given_up):
                    await self._looked(client, service, found)
                waiting = await _next(heard)
        finally:
            await subscription.unsubscribe()

    async def _looked(
        self, client: "CountryClient", service: str, found: Callable[[RewrittenError], None] | None
    ) -> None:
        try:
            await self.look(client, service)
        except RewrittenError as error:
            self._given_up.add(service)
            if found is None:
                raise
            found(error)
        except ClientError:
            pass  # away, or too many questions: the next time will do

    async def look(self, client: "CountryClient", service: str) -> Checkpoint | None:
        """Hold what a log shows now against what it showed before, keep it, and cosign it.

        None: it has signed nothing yet. Raises RewrittenError, UnsignedError, or as `ask` does.
        """
        seen = self.seen(service)
        before = self.read(service, seen) if seen else None
        answer: CheckpointAnswer = await client.ask(service, "checkpoint", {"since": before.size if before else 0})
        if not answer.checkpoint:
            if seen:
                raise self._wrong("shrunk", service, seen, "")
            return None
        shown, by = self._opened(service, answer.checkpoint)
        if before and seen:
            self._hold(service, seen, before, answer, shown)
        _written(self.file(service), answer.checkpoint)
        if self.signer and self.signer.verifier not in by:
            line = self.signer.sign(shown.text, int(self.clock())).rstrip("\n")
            await client.ask(service, "cosign", {"size": shown.size, "line": line})
        return shown

    async def confront(self, client: "CountryClient", service: str, other: str) -> None:
        """Hold another country's checkpoint of a log against what the log shows here.

        Raises RewrittenError if the log has shown the two countries different rows.
        """
        before = self.read(service, other)
        answer: CheckpointAnswer = await client.ask(service, "checkpoint", {"since": before.size})
        if not answer.checkpoint:
            raise self._wrong("shrunk", service, other, "")
        self._hold(service, other, before, answer, self.read(service, answer.checkpoint))

    async def receipt(
        self, client: "CountryClient", service: str, report_id: str, cosigned: int = 0, source: str = ""
    ) -> Receipt:
        """Wait for the receipt of a report, with so many cosignatures of witnesses that are known; return it checked.

        `source` says which is meant, where several systems of the country gave the same id. Raises UnsignedError where
        it does not hold, or as `ask` does.
        """
        asked = {"id": report_id, "cosigned": cosigned} | ({"source": source} if source else {})
        while True:
            answer: ReceiptAnswer = await client.ask(service, "receipt", asked)
            if answer.receipt:
                receipt = note.receipt(answer.receipt)
                if len(self.received(service, receipt)) >= cosigned:
                    return receipt
            await asyncio.sleep(RECEIPT_POLL_S)

    def received(self, service: str, receipt: Receipt) -> list[Verifier]:
        """Check a receipt; return the witnesses whose cosignature it has. Raises UnsignedError."""
        one = self.read(service, receipt.note)
        try:
            root = tree.included(tree.leaf(receipt.covered), receipt.index, one.size, receipt.proof)
        except UnprovenError as error:
            raise UnsignedError(f"no receipt: {error}") from None
        if root != one.root:
            raise UnsignedError("no receipt: its row is not in the log that was signed")
        return [known for known in self._opened(service, receipt.note)[1] if known.kind == note.COSIGNS]

    def read(self, service: str, text: str) -> Checkpoint:
        """Return what a log's checkpoint says; UnsignedError where it is not signed by that log."""
        return self._opened(service, text)[0]

    def _opened(self, service: str, text: str) -> tuple[Checkpoint, list[Verifier]]:
        own = [one for one in self.logs if one.name.rpartition("/")[2] == service]
        try:
            said, by = note.opened(text, [*own, *self.witnesses, *([self.signer.verifier] if self.signer else ())])
            one = note.checkpoint(said)
        except NoteError as error:
            raise UnsignedError(f"{service}: {error}") from None
        if not any(verifier in own and verifier.name == one.origin for verifier in by):
            raise UnsignedError(f"{service}: not signed by the log")
        return one, by

    def seen(self, service: str) -> str:
        """Return the last checkpoint seen of a log; empty: none."""
        file = self.file(service)
        return file.read_text() if file.exists() else ""

    def file(self, service: str) -> Path:
        """Return where the last checkpoint seen of a log lies."""
        return self.folder / f"{service}.checkpoint"

    def _hold(self, service: str, seen: str, before: Checkpoint, answer: CheckpointAnswer, shown: Checkpoint) -> None:
        """Hold a log against what was seen of it before; raises RewrittenError."""
        if shown.size < before.size:
            raise self._wrong("shrunk", service, seen, answer.checkpoint)
        if shown.size == before.size:
            if shown.root != before.root:
                raise self._wrong("forked", service, seen, answer.checkpoint)
            return
        if before.size == 0:
            return
        try:
            root, proof = note.decoded(answer.root, tree.BYTES), [note.decoded(one, tree.BYTES) for one in answer.proof]
            proven = tree.extended(before.size, shown.size, root, proof) == (root, shown.root)
        except (NoteError, UnprovenError):
            root, proven = b"", False
        if not proven or root != before.root:
            raise self._wrong("rewritten" if proven else "unproven", service, seen, answer.checkpoint, answer)

    def _wrong(
        self, kind: Kind, service: str, seen: str, shown: str, answer: CheckpointAnswer | None = None
    ) -> RewrittenError:
        """Write down what was found."""
        origin = self.read(service, seen).origin
        evidence = Evidence(
            kind=kind,
            why=WHY[kind],
            key=next(one.vkey for one in self.logs if one.name == origin),
            found=datetime.fromtimestamp(self.clock(), UTC),
            seen=seen,
            shown=shown,
            root=answer.root if answer else "",
            proof=answer.proof if answer else (),
        )
        file = self.folder / f"{service}-{int(self.clock() * 1000)}.evidence.json"
        _written(file, msgspec.json.format(msgspec.json.encode(evidence)).decode() + "\n")
        return RewrittenError(evidence, file)


def proven(evidence: Evidence, logs: Iterable[Verifier]) -> bool:
    """Say whether evidence alone proves that a log signed what cannot both be.

    Raises NoteError where a checkpoint is not signed by a log that is known.
    """
    known = [one for one in logs if one.kind == note.SIGNS]
    before = note.checkpoint(note.opened(evidence.seen, known)[0])
    if not evidence.shown:
        return False
    after = note.checkpoint(note.opened(evidence.shown, known)[0])
    if before.origin != after.origin:
        return False
    if before.size == after.size:
        return before.root != after.root
    if not evidence.root or after.size < before.size:
        return False
    root, proof = note.decoded(evidence.root, tree.BYTES), [note.decoded(one, tree.BYTES) for one in evidence.proof]
    try:
        given = tree.extended(before.size, after.size, root, proof)
    except UnprovenError:
        return False
    return given == (root, after.root) and root != before.root


async def _next(heard: "asyncio.Queue[str]") -> set[str]:
    """Return which logs to look at: those that were heard of, or all when nothing was for long."""
    try:
        found = {await asyncio.wait_for(heard.get(), LOOK_S)}
    except TimeoutError:
        return set(SERVICES)
    while not heard.empty():
        found.add(heard.get_nowait())
    return found & set(SERVICES)


def _written(file: Path, text: str) -> None:
    """Write a file whole or not at all, and have it on disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    with fresh.open("w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
