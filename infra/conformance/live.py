"""The inspector: plays a script against a country's system on a region of its own, and says which rules it keeps.

The candidate is a program. It is started with `CRM_COUNTRY`, `CRM_NATS_URL`, `CRM_KEY` (the file of its nkey seed).
Where the address is `tls://`, also with `CRM_CA`, `CRM_CERTIFICATE` and `CRM_CERTIFICATE_KEY` (PEM). Where it is to be
a witness of the logs, with `CRM_KEYS` (a folder with `GTM.witness`, `logs` and `witnesses`). It is told on standard
input, a JSON object a line, what has happened in its country: `name`, `data`, `subject`, `time`. It is to report each,
mend by the suggestions what is refused, read its mailbox, and accept each referral that is open. All that is judged is
what reaches the region.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

from infra.conformance.door import EXPIRED, GOOD, STRANGE, Door, opened
from infra.conformance.forging import rewrite
from infra.conformance.program import CANDIDATE, FLAGGED, PATIENCE_S, STEADY_S, Broken, Candidate, started
from infra.conformance.verdict import Verdict
from infra.nats.asking import ask
from infra.testkit.country import example
from infra.testkit.processes import POLL_S
from infra.testkit.servers import ROOT
from infra.testkit.system import CrmSystem
from infra.witnessing import logs_file, witnesses_file
from shared.flow.streams import MAILBOX

NOTICED_S = 0.3
REVOKED = "victims.referral.revoked"
REWRITTEN, HONEST = "intel", "victims"
"""Whose log is rewritten beneath a witness, and by whose the inspector sees that the witness still looks."""


async def _reports(one: Candidate) -> None:
    await one.tell("doc-1")
    event = await one.awaited("doc-1", "nothing of it is on record")
    if event.time.isoformat() != one.told["doc-1"]:
        raise Broken("time is not when it happened")
    if event.country != CANDIDATE:
        raise Broken("it is another country's")


async def _refused(one: Candidate) -> None:
    await one.tell("doc-2", issuing="HN")
    await one.awaited("doc-2", "what was refused was not mended (issuing: HN, suggested: HND)")
    await one.steady()


async def _repeats(one: Candidate) -> None:
    one.own.link.deafen()
    await one.tell("doc-3")
    await one.awaited("doc-3", "nothing of it arrived while no answer came back")
    one.own.link.cut()
    await asyncio.sleep(POLL_S)
    one.own.link.mend()
    await one.tell("doc-4")
    await one.awaited("doc-4", "it did not go on after its link was lost")
    await one.steady()
    if (number := len(await one.recorded("doc-3"))) != 1:
        raise Broken(f"recorded {number} times, under as many ids")


async def _patient(one: Candidate) -> None:
    one.own.link.cut()
    await asyncio.sleep(NOTICED_S)
    await one.tell("doc-5")
    await asyncio.sleep(STEADY_S)
    one.own.link.mend()
    await one.awaited("doc-5", "it is lost")


async def _reads(one: Candidate) -> None:
    await one.offer("ref-1")
    await one.read("mail lies unread, or is read and never acknowledged")


async def _keeps(one: Candidate) -> None:
    await one.offer("ref-6")
    await one.tell("doc-8")
    await one.awaited("doc-8", "nothing of it is on record")
    with contextlib.suppress(Broken):  # that it is not read is another rule's
        await one.read("mail lies unread")
    await one.system.operator.flush()
    if one.terminated:
        raise Broken(f"mail is terminated, first at {one.terminated[0]}")


async def _answers(one: Candidate) -> None:
    await one.offer("ref-2")
    await one.until(lambda: one.accepted("ref-2"), "no answer is on record")
    await one.steady()


async def _redelivered(one: Candidate) -> None:
    await one.offer("ref-3")
    await one.until(lambda: one.accepted("ref-3"), "no answer is on record")
    await one.read("mail lies unread")
    before = await one.steady(), await one.refusals()
    root = await one.system.region.connect(ROOT)
    assert "error" not in await ask(root, f"CONSUMER.RESET.{MAILBOX}.{CANDIDATE}", {"seq": 1})
    await one.read("what was delivered again is not read")
    if (await one.steady(), await one.refusals()) != before:
        raise Broken("it reported again because of mail that it had before")


async def _withdrawn(one: Candidate) -> None:
    before = await one.refusals()
    one.own.link.cut()
    await one.offer("ref-4")
    assert (await one.other.tell(REVOKED, referral_id="ref-4", reason="moved_on")).recorded
    await one.offer("ref-5")
    one.own.link.mend()
    await one.until(lambda: one.accepted("ref-5"), "the referral that stands is not answered")
    await one.read("mail lies unread")
    await one.steady()
    if new := [code for _, code in (await one.refusals())[len(before) :]]:
        raise Broken(f"it answered what was taken back: {', '.join(new)}")


async def _goes_on(one: Candidate) -> None:
    await one.system.restart()
    await one.tell("doc-6")
    await one.awaited("doc-6", "nothing is reported after the restart")


async def _owns(one: Candidate) -> None:
    await one.tell("doc-7")
    await one.awaited("doc-7", "nothing of it is on record")
    other = [f"{pointer} {code}" for pointer, code in await one.refusals() if pointer != "/data/issuing"]
    if other:
        raise Broken(f"refused: {', '.join(sorted(set(other)))}")


async def _trusts(one: Candidate) -> None:
    with tempfile.TemporaryDirectory() as folder:
        region = one.system.region
        at = opened(region.nats.url, region.seed(CANDIDATE), CANDIDATE, Path(folder))
        async with at as (door, env), one.again(env) as second:
            await second.tell("doc-9")
            await second.awaited("doc-9", "it does not come to tls://, whose certificate holds")
            await _turns_away(second, door, EXPIRED, "whose certificate has expired")
            await _turns_away(second, door, STRANGE, "whose certificate another authority has made")
            door.show(GOOD)
            await second.tell("doc-10")
            await second.awaited("doc-10", "it does not come back when the certificate holds again")


async def _turns_away(one: Candidate, door: Door, which: str, who: str) -> None:
    door.show(which)

    async def seen() -> bool:
        return door.spoken or door.turned_away > 0

    await one.until(seen, f"it does not try again where there was one {who}")
    if door.spoken:
        raise Broken(f"it speaks to one {who}")


async def _witnesses(one: Candidate) -> None:
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder)
        given = one.system.region.keys.folder
        for file in (given / f"{CANDIDATE}.witness", logs_file(given), witnesses_file(given)):
            shutil.copy(file, keys)
        env = {"CRM_NATS_URL": one.own.address, "CRM_KEY": str(one.own.key), "CRM_KEYS": folder}
        async with one.again(env) as witness:
            assert (await one.other.tell(FLAGGED, **example(FLAGGED))).recorded
            await witness.until(lambda: witness.cosigned(REWRITTEN), "it cosigns no checkpoint")
            await one.system.settled(figures=False)
            await rewrite(one.system, REWRITTEN)
            assert (await one.other.tell(FLAGGED, **example(FLAGGED))).recorded
            before = await one.rows(HONEST)

            async def goes_on() -> bool:
                return await witness.cosigned(HONEST) > before

            await one.offer("ref-7")
            with contextlib.suppress(Broken):  # whoever finds it may look at nothing any more
                await witness.until(goes_on, "it has stopped")
            if await one.cosigned(REWRITTEN):
                raise Broken("it cosigns a log that is not what it cosigned before")


RULES: Mapping[str, tuple[str, Callable[[Candidate], Awaitable[None]]]] = {
    "reports": ("What happened is reported: once, as it was, and when it was.", _reports),
    "refused": (
        "What is refused is mended by its suggestion and sent again; not as it was, not without end.",
        _refused,
    ),
    "repeats": ("Without an answer the same report is sent again under the same id: it is recorded once.", _repeats),
    "patient": ("What happens while the link is cut is reported when there is one again.", _patient),
    "reads": ("All mail is read, and acknowledged.", _reads),
    "keeps": ("No mail is terminated: what is not understood is acknowledged, and asked for again later.", _keeps),
    "answers": ("An open referral is answered, once.", _answers),
    "redelivered": ("Mail that comes again sets nothing off again.", _redelivered),
    "withdrawn": (
        "What was taken back before it was read is not answered, in whatever order it comes.",
        _withdrawn,
    ),
    "goes_on": ("After a restart of the region it goes on by itself.", _goes_on),
    "trusts": (
        "By tls:// it speaks only to whom it can trust: no certificate that has expired, or of others.",
        _trusts,
    ),
    "owns": (
        "Nothing else is refused: no foreign source, no name of a person, no unknown field.",
        _owns,
    ),
    "witnesses": (
        "It cosigns what the logs sign, and no log that does not begin with what it cosigned.",
        _witnesses,
    ),
}
"""Each rule in words, and how it is tried, in this order."""


async def inspected(
    system: CrmSystem, command: Sequence[str], patience_s: float = PATIENCE_S, rules: Iterable[str] = RULES
) -> list[Verdict]:
    """Play the script against a program on a system that is fresh; return a verdict for each of the rules."""
    verdicts = []
    async with started(system, command, patience_s) as one:
        await one.begin()
        for name in rules:
            rule, tried = RULES[name]
            faults: tuple[str, ...] = ()
            try:
                await tried(one)
            except Broken as broken:
                faults = (str(broken),)
            finally:
                one.own.link.mend()
            verdicts.append(Verdict(name, rule, faults))
    return verdicts
