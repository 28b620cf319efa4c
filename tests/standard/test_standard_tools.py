"""Go's own sumdb packages check what the logs sign: receipts, evidence, and the tiles that the board serves.

They need Debian's golang-go and golang-golang-x-mod-dev: `make test-standard` fails without.
"""

import asyncio
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from infra.witnessing import logs_file, witnesses_file
from services.indicators.publish.access import country_token
from shared.client.witness import Evidence, RewrittenError, Witness
from shared.record import note
from tests.harness.ledger import SERVICE, recorded
from tests.services.indicators.serving import example_fold, served, viewed

SOURCE = Path(__file__).with_name("verifier.go")
PACKAGES = Path("/usr/share/gocode")


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    go = shutil.which("go")
    assert go, "go is missing: apt-get install golang-go golang-golang-x-mod-dev"
    assert (PACKAGES / "src/golang.org/x/mod/sumdb").exists(), "apt-get install golang-golang-x-mod-dev"
    folder = tmp_path_factory.mktemp("go")
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": str(PACKAGES), "GOCACHE": str(folder / "cache")}
    program = folder / "verifier"
    asyncio.run(ran(go, "build", "-o", program, SOURCE, env=env))
    return program


async def ran(*arguments, env=None):
    """The output of a program that ends well."""
    output, code = await ended(*arguments, env=env)
    assert code == 0, output
    return output


async def ended(*arguments, env=None):
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments), stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=env
    )
    output, _ = await process.communicate()
    return output.decode(), process.returncode


async def begun(ledger, tmp_path, rows):
    await ledger.grow(rows)
    await ledger.sign()
    gtm = Witness.of(ledger.region.keys.folder, "GTM", tmp_path / "GTM")
    await gtm.look(ledger.client("GTM"), SERVICE)
    return gtm


@pytest.mark.parametrize("rows", [1, 2, 255, 256, 257, 700])
async def test_a_receipt(program, ledger, tmp_path, rows):
    gtm = await begun(ledger, tmp_path, rows)
    keys = logs_file(ledger.region.keys.folder), witnesses_file(ledger.region.keys.folder)
    for number in {1, (rows + 1) // 2, rows}:
        receipt = await gtm.receipt(ledger.client("GTM"), SERVICE, f"e-{number}", cosigned=1)
        file = tmp_path / f"{number}.tlog-proof"
        file.write_text(receipt.text)
        told = (await ran(program, "receipt", *keys, file)).split("\n")
        assert told[0] == "cosigned by 1"
        assert msgspec.json.decode(told[1])["id"] == f"e-{number}"
        wrong = bytearray(receipt.covered)
        wrong[-20] ^= 1
        file.write_text(note.Receipt(receipt.index, bytes(wrong), receipt.proof, receipt.note).text)
        output, code = await ended(program, "receipt", *keys, file)
        assert (code, output[:15]) == (1, "does not hold: "), "a receipt of another row"


@pytest.mark.parametrize(("rows", "more"), [(300, 20), (256, 20), (256, 0), (1, 600)])
async def test_evidence(program, ledger, tmp_path, rows, more):
    gtm = await begun(ledger, tmp_path, rows)
    changed = await ledger.rows()
    changed[0] = recorded(1, 9_000)
    await ledger.rewrite(changed)
    await ledger.forget()
    if more:
        await ledger.grow(more)
    await ledger.sign()
    with pytest.raises(RewrittenError) as found:
        await gtm.look(ledger.client("GTM"), SERVICE)
    keys = logs_file(ledger.region.keys.folder)
    assert (await ran(program, "evidence", keys, found.value.file)).startswith("proven: ")
    # Made up by a country against an honest log, it proves nothing: the log's own root of before leads nowhere else.
    evidence = found.value.evidence
    honest = tmp_path / "made-up.json"
    seen = note.checkpoint(note.parted(evidence.seen)[0])
    made_up = msgspec.structs.replace(evidence, root=note.encoded(seen.root), shown=evidence.seen)
    honest.write_bytes(msgspec.json.encode(made_up))
    output, code = await ended(program, "evidence", keys, honest)
    assert (code, output[:15]) == (1, "does not hold: ")
    assert msgspec.json.decode(honest.read_bytes(), type=Evidence) == made_up


@pytest.mark.parametrize(("rows", "more"), [(3, 4), (255, 2), (300, 700), (256, 66_000)])
async def test_the_tiles_that_the_board_serves(program, ledger, tmp_path, rows, more):
    gtm = await begun(ledger, tmp_path, rows)
    await ledger.grow(more)
    await ledger.sign()
    loop, board = asyncio.get_running_loop(), ledger.client("BOARD")

    async def ask(service, question, data):
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(board.ask(service, question, data), loop))

    keys, seen = logs_file(ledger.region.keys.folder), gtm.file(SERVICE)
    with served(viewed(example_fold(), ask=ask)) as address:
        place = f"{address}/log/{SERVICE}", country_token("secret", "GTM")
        assert await ran(program, "tiles", keys, *place, seen) == f"{rows + more} rows go on from {rows}\n"
        tile = "update training.tile set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where level = 0"
        if rows == 300:  # the proof from there needs the tile of the rows about it
            await ledger.owner.execute(f"{tile} and number = 1")
            output, code = await ended(program, "tiles", keys, *place, seen)
            assert (code, output[:15]) == (1, "does not hold: "), "a tile that is not of the checkpoint"
