"""Who owns the database and the streams rewrites a log: whoever saw an earlier checkpoint finds it, and can prove it.

The attacker of each test makes the chain, the ids, the tiles and the streams anew, so that `crm verify` finds nothing
wrong with what it is given: that is asserted, so that an attack that fails for another reason is no success. The key
that signs is the service's, which starts anew and knows nothing of before.
"""

import msgspec
import pytest

from infra.recovery.recount import Witnessed
from infra.recovery.restore import restore
from infra.recovery.verify import compare
from infra.testkit.servers import ROOT
from shared.client.errors import Invalid
from shared.client.witness import Evidence, RewrittenError, UnsignedError, Witness, proven
from shared.flow.streams import stream_of
from shared.record import note, tree
from tests.harness.ledger import SERVICE, recorded

ROWS = 300


def witness_of(ledger, country, folder):
    return Witness.of(ledger.region.keys.folder, country, folder / country)


async def begun(ledger, tmp_path, rows=ROWS):
    """A log of some rows that was signed, and that Guatemala saw and cosigned."""
    await ledger.grow(rows)
    await ledger.copy()
    await ledger.sign()
    gtm = witness_of(ledger, "GTM", tmp_path)
    assert (await gtm.look(ledger.client("GTM"), SERVICE)).size == rows
    assert (await ledger.verified()).faults() == []
    return gtm


async def covered_up(ledger):
    """Leave no trace of before, and have the service sign what there is now."""
    await ledger.forget()
    await ledger.copy()
    await ledger.sign()
    assert (await ledger.verified()).faults() == [], "the attack would be seen by whoever has only the database"


def checked(error, ledger):
    """The evidence as it stands in the file, checked as a third party would: with the log's public key alone."""
    evidence = msgspec.json.decode(error.file.read_bytes(), type=Evidence)
    assert evidence == error.evidence
    assert evidence.key in [one.vkey for one in ledger.logs]
    return proven(evidence, [note.read_verifier(evidence.key)])


def changed(rows):
    rows[99] = recorded(100, 100, "HND")
    return rows


def added(rows):
    return [*rows[:50], recorded(51, 9_000), *rows[50:]]


def removed(rows):
    return [*rows[:50], *rows[51:], recorded(ROWS, 9_001)]


def reordered(rows):
    return [*rows[:10], rows[11], rows[10], *rows[12:]]


@pytest.mark.parametrize("attack", [changed, added, removed, reordered])
async def test_a_rewritten_log_is_found_and_proven(ledger, tmp_path, attack):
    gtm = await begun(ledger, tmp_path)
    await ledger.rewrite(attack(await ledger.rows()))
    await ledger.grow(7)
    await covered_up(ledger)
    with pytest.raises(RewrittenError) as found:
        await gtm.look(ledger.client("GTM"), SERVICE)
    assert found.value.evidence.kind == "rewritten"
    assert checked(found.value, ledger)
    kept = Witnessed(ledger.logs, (), [gtm.seen(SERVICE)])
    operator = await ledger.region.connect("operator")
    told = (await compare(ledger.owner, operator, SERVICE, witnessed=kept)).faults()
    assert told == [f"a checkpoint kept elsewhere: the first {ROWS} rows are not those that were signed"]


async def test_a_log_rewritten_at_the_same_size_is_forked(ledger, tmp_path):
    gtm = await begun(ledger, tmp_path, 256)
    await ledger.rewrite(changed(await ledger.rows()))
    await covered_up(ledger)
    with pytest.raises(RewrittenError) as found:
        await gtm.look(ledger.client("GTM"), SERVICE)
    assert found.value.evidence.kind == "forked"
    assert checked(found.value, ledger)


@pytest.mark.parametrize("size", [256, 300])
async def test_a_rollback_is_found_and_proven_as_soon_as_the_log_grows_again(ledger, tmp_path, size):
    gtm = await begun(ledger, tmp_path, size)
    await ledger.rewrite((await ledger.rows())[: size - 20])
    await covered_up(ledger)
    with pytest.raises(RewrittenError) as found:
        await gtm.look(ledger.client("GTM"), SERVICE)
    assert found.value.evidence.kind == "shrunk"
    assert not checked(found.value, ledger), "an older checkpoint is no proof: it was signed once"
    await ledger.grow(40)
    await ledger.sign()
    with pytest.raises(RewrittenError) as found:
        await gtm.look(ledger.client("GTM"), SERVICE)
    assert found.value.evidence.kind == "rewritten"
    assert checked(found.value, ledger)


async def test_a_log_that_was_never_signed_any_more_is_found(ledger, tmp_path):
    gtm = await begun(ledger, tmp_path)
    await ledger.rewrite([])
    await ledger.forget()
    with pytest.raises(RewrittenError) as found:
        await gtm.look(ledger.client("GTM"), SERVICE)
    assert found.value.evidence.kind == "shrunk"


async def test_two_countries_that_are_shown_different_logs_find_it_when_they_compare(ledger, tmp_path):
    gtm = await begun(ledger, tmp_path)
    rows = await ledger.rows()
    await ledger.rewrite(changed(await ledger.rows()))
    await ledger.forget()
    await ledger.copy()
    await ledger.sign()
    hnd = witness_of(ledger, "HND", tmp_path)
    await hnd.look(ledger.client("HND"), SERVICE)  # the first that it sees: nothing tells it
    await ledger.rewrite(rows)
    await ledger.forget()
    await ledger.grow(5)
    await ledger.copy()
    await ledger.sign()
    await gtm.look(ledger.client("GTM"), SERVICE)  # Guatemala is shown the true one all the time
    with pytest.raises(RewrittenError) as found:
        await gtm.confront(ledger.client("GTM"), SERVICE, hnd.seen(SERVICE))
    assert checked(found.value, ledger)


async def test_whoever_is_honest_finds_nothing(ledger, tmp_path):
    gtm = await begun(ledger, tmp_path, 1)
    for count in (1, 2, 251, 1, 1, 600):
        await ledger.grow(count)
        await ledger.sign()
        assert await gtm.look(ledger.client("GTM"), SERVICE)
    assert list(tmp_path.rglob("*.evidence.json")) == []


async def test_what_is_not_signed_by_the_log_is_not_believed(ledger, tmp_path):
    gtm = await begun(ledger, tmp_path)
    before = gtm.seen(SERVICE)
    other = note.Signer("crm.region/log/training", note.SIGNS, bytes(32))
    one = note.Checkpoint(other.name, ROWS + 1, bytes(32))
    await ledger.owner.execute(
        f"insert into {SERVICE}.checkpoint values ($1, $2, $3)",
        *(one.size, one.root, note.signed(one, [other.sign(one.text)])),
    )
    await ledger.grow(1)
    with pytest.raises(UnsignedError):
        await gtm.look(ledger.client("GTM"), SERVICE)
    assert gtm.seen(SERVICE) == before


async def test_a_cosignature_is_taken_of_its_own_country_only(ledger, tmp_path):
    gtm = await begun(ledger, tmp_path)
    size = note.checkpoint(note.parted(gtm.seen(SERVICE))[0])
    asked = {"size": ROWS, "line": gtm.signer.sign(size.text, 1).rstrip()}
    assert (await ledger.client("GTM").ask(SERVICE, "cosign", asked)).cosigned == 1
    for country, change in (
        ("HND", {}),
        ("GTM", {"size": ROWS + 1}),
        ("GTM", {"line": gtm.signer.sign(size.text + "x\n", 1).rstrip()}),
        ("GTM", {"line": asked["line"] + "\n" + asked["line"]}),
        ("GTM", {"line": "\N{EM DASH} x AAAA"}),
        ("GTM", {"line": "nothing"}),
    ):
        with pytest.raises(Invalid):
            await ledger.client(country).ask(SERVICE, "cosign", asked | change)
    assert await ledger.owner.fetchval(f"select count(*) from {SERVICE}.cosignature") == 1


async def test_a_receipt_proves_a_row_and_names_who_cosigned(ledger, tmp_path):
    gtm = await begun(ledger, tmp_path)
    for country in ("HND", "SLV"):
        await witness_of(ledger, country, tmp_path).look(ledger.client(country), SERVICE)
    receipt = await gtm.receipt(ledger.client("GTM"), SERVICE, "e-7", cosigned=3)
    by = {one.name for one in gtm.received(SERVICE, receipt)}
    assert by == {f"crm.region/witness/{one}" for one in ("GTM", "HND", "SLV")}
    assert b'"id":"e-7"' in receipt.covered
    assert len(receipt.proof) == 9, "log2 of 300"
    assert note.receipt(receipt.text) == receipt
    wrong = receipt.covered.replace(b"of-7", b"of-8")
    with pytest.raises(UnsignedError):
        gtm.received(SERVICE, note.Receipt(receipt.index, wrong, receipt.proof, receipt.note))
    # Nobody gets a receipt of what is neither its own nor told to it; and nobody learns whether there is such a row.
    for asked in ("e-7", "e-no"):
        answer = await ledger.client("HND").ask(SERVICE, "receipt", {"id": asked})
        assert (answer.receipt, answer.cosigned) == ("", 0)


async def test_a_row_that_a_receipt_was_given_for_cannot_go(ledger, tmp_path):
    """A country that keeps its receipts alone finds it: the receipt's checkpoint is one that was signed."""
    gtm = await begun(ledger, tmp_path)
    receipt = await gtm.receipt(ledger.client("GTM"), SERVICE, "e-51")
    await ledger.rewrite(removed(await ledger.rows()))
    await ledger.grow(1)
    await covered_up(ledger)
    gtm.file(SERVICE).unlink()
    with pytest.raises(RewrittenError) as found:
        await gtm.confront(ledger.client("GTM"), SERVICE, receipt.note)
    assert checked(found.value, ledger)


@pytest.mark.parametrize("kept", ["by the region", "by a country"])
async def test_a_restore_that_ends_before_what_was_signed_says_so(ledger, tmp_path, kept):
    """A backup of before, and a stream that is lost as well: what countries have seen is gone."""
    gtm = await begun(ledger, tmp_path, 20)
    await ledger.rewrite((await ledger.rows())[:15])
    await ledger.owner.execute(f"delete from {SERVICE}.checkpoint")
    if kept == "by a country":
        await ledger.forget()
    else:
        client = await ledger.region.connect(ROOT)
        await client.request(f"$JS.API.STREAM.DELETE.{stream_of(SERVICE)}", b"", timeout=5)
    region = ledger.region
    where = (SERVICE, region.database_url(SERVICE), region.nats.url, region.keys.folder, print)
    known = Witnessed(notes=[gtm.seen(SERVICE)] if kept == "by a country" else ())
    place = "CHECKPOINTS" if kept == "by the region" else "a checkpoint kept elsewhere"
    told = [f"{place}: 20 rows were signed, the log has 15: rows that others have seen are gone"]
    assert await restore(*where, witnessed=known) == told
    assert await restore(*where, witnessed=known) == told, "again, and nothing is hidden by it"


async def test_the_tiles_are_those_of_the_specification(ledger, tmp_path):
    await begun(ledger, tmp_path, 700)
    client = ledger.client("GTM")

    async def tile(level, number, **more):
        answer = await client.ask(SERVICE, "tile", {"level": level, "number": number, **more})
        return note.decoded(answer.hashes)

    widths = {one: len(await tile(*one)) // 32 for one in [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (2, 0)]}
    assert widths == {(0, 0): 256, (0, 1): 256, (0, 2): 188, (0, 3): 0, (1, 0): 2, (2, 0): 0}
    assert len(await tile(0, 2, size=600)) // 32 == 88
    assert tree.folded(await tile(0, 1)) == (await tile(1, 0))[32:]
