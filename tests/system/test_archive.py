"""`crm archive`: closed months of a log as files that prove themselves, and what is read from them."""

import asyncio
import shutil
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from infra.cli import app
from infra.recovery import archiving
from shared.contracts import Event
from shared.record import archive
from shared.record.archive import Archived, ArchiveError
from shared.record.chain import GENESIS, chained
from tests.harness.speaking import example

NAME = "training.official.enrolled"
MONTHS = {5: 7, 6: 4, 8: 6, 9: 2}
"""Rows by month of 2003; none in July. September is not closed."""


def recorded(number, month):
    at = datetime(2003, month, min(1 + number, 28), tzinfo=UTC)
    return Event(
        specversion="1.0",
        id=f"e-{number}",
        source="urn:crm:country:GTM:test",
        type=f"crm.{NAME}.v1",
        time=at,
        country="GTM",
        data=example(NAME, officer_pid=f"of-{number}"),
        recordedtime=at,
        sequence=number,
        subject=f"of-{number}",
    )


async def written(owner, months=MONTHS, poison=None):
    """Write a log by hand, its chain whole; `poison` stands for one payload."""
    before, number = GENESIS, 0
    for month, rows in months.items():
        for _ in range(rows):
            number += 1
            event = recorded(number, month)
            payload = poison[1] if poison and poison[0] == number else msgspec.json.encode(event)
            before = chained(before, payload)
            await owner.execute(
                "insert into log (position, source, id, type, country, entity, payload, hash, said)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                *(number, event.source, event.id, event.type, event.country, event.subject, payload, before),
                b"\x07" * 32 if number % 2 else None,
            )


@pytest.fixture
async def owner(postgres_server):
    async with postgres_server.lent() as database:
        address = postgres_server.server.url(database=database)
        connection = await asyncpg.connect(address, server_settings={"search_path": "training"})
        yield connection
        await connection.close()


async def write(owner, folder, until=""):
    return await archiving.write(owner, folder, "training", until, print)


async def test_closed_months_are_written_and_every_row_comes_back(owner, tmp_path):
    await written(owner)
    found = await write(owner, tmp_path)
    assert [(one.month, one.first, one.last) for one in found] == [
        ("2003-05", 1, 7),
        ("2003-06", 8, 11),
        ("2003-08", 12, 17),
    ]
    rows = [tuple(row) for row in await owner.fetch("select position, payload, hash, said from log order by position")]
    assert [tuple(row)[:4] for row in archive.rows(tmp_path, "training")] == rows[:17]
    assert [row.position for row in archive.rows(tmp_path, "training", 9)] == [*range(10, 18)]
    assert await write(owner, tmp_path) == [], "nothing is written twice"
    assert await owner.fetchval("select array_agg(last order by last) from archived") == [7, 11, 17]
    await owner.execute("delete from archived")
    await write(owner, tmp_path)
    assert await owner.fetchval("select array_agg(last order by last) from archived") == [7, 11, 17], "noted again"


async def test_a_month_may_be_named(owner, tmp_path):
    await written(owner)
    assert [one.month for one in await write(owner, tmp_path, "2003-05")] == ["2003-05"]
    assert [one.month for one in await write(owner, tmp_path, "2003-07")] == ["2003-06"]
    assert archive.end(tmp_path, "training")[0] == 11


async def test_the_format_is_one_that_others_read(owner, tmp_path):
    await written(owner)
    (first, *_) = await write(owner, tmp_path)
    lines = zstd.decompress((tmp_path / "training" / first.name).read_bytes()).splitlines()
    assert [msgspec.json.decode(line)["position"] for line in lines] == [*range(1, 8)]
    assert msgspec.json.decode(lines[2])["event"]["id"] == "e-3"


@pytest.mark.parametrize("payload", [b"\x00\xff{", b'{"a":\n1}', b" {}", b"", b"[1,2]", b'"\xff"'])
async def test_a_row_that_nobody_can_read_is_archived_as_it_stands(owner, tmp_path, payload):
    await written(owner, poison=(3, payload))
    await write(owner, tmp_path)
    third = [*archive.rows(tmp_path, "training")][2]
    assert third.payload == payload
    assert third.columns == ("urn:crm:country:GTM:test", "e-3", f"crm.{NAME}.v1", "GTM", "of-3")


@given(
    st.binary(max_size=60) | st.text(max_size=30).map(str.encode) | st.just(b'{"a":1}'),
    st.none() | st.binary(min_size=32, max_size=32),
)
def test_any_payload_comes_back_byte_for_byte(payload, said):
    row = Archived(7, payload, b"\x01" * 32, said, None)
    line = archive.line_of(row)
    assert line.count(b"\n") == 1
    again = archive.row_of(msgspec.json.decode(line, type=archive.Line))
    assert (again.position, again.payload, again.hash, again.said) == (7, payload, b"\x01" * 32, said)


async def test_a_broken_chain_is_not_archived(owner, tmp_path):
    await written(owner)
    await owner.execute("update log set payload = '{}' where position = 9")
    with pytest.raises(ArchiveError, match="the chain breaks at 9"):
        await write(owner, tmp_path)
    assert [one.month for one in archive.manifests(tmp_path, "training")] == ["2003-05"]
    assert sorted(file.name for file in (tmp_path / "training").iterdir()) == ["2003-05.json", "2003-05.ndjson.zst"]


async def test_nothing_is_written_over(owner, tmp_path):
    await written(owner)
    (tmp_path / "training").mkdir()
    other = tmp_path / "training" / "2003-05.ndjson.zst"
    other.write_bytes(b"something else")
    with pytest.raises(ArchiveError, match="nothing is written over"):
        await write(owner, tmp_path)
    assert other.read_bytes() == b"something else"
    assert await owner.fetchval("select count(*) from archived") == 0


async def test_a_file_that_a_run_cut_short_left_is_taken_as_it_is(owner, tmp_path):
    await written(owner)
    await write(owner, tmp_path, "2003-05")
    await owner.execute("delete from archived")
    (tmp_path / "training" / "2003-05.json").unlink()
    assert [one.month for one in await write(owner, tmp_path, "2003-05")] == ["2003-05"]


async def test_what_a_run_that_was_killed_left_half_written_is_in_nobodys_way(owner, tmp_path, monkeypatch):
    await written(owner)
    with monkeypatch.context() as killed:
        killed.setattr(archive.Writing, "done", lambda _: 1 / 0)
        killed.setattr(archive.Writing, "discard", lambda one: one._raw.close())
        with pytest.raises(ZeroDivisionError):
            await write(owner, tmp_path)
    assert [*(tmp_path / "training").iterdir()]
    assert len(await write(owner, tmp_path)) == 3


async def test_a_file_that_does_not_read_back_gets_no_name(owner, tmp_path, monkeypatch):
    await written(owner)
    honest = archive.line_of
    with monkeypatch.context() as damaging:
        damaging.setattr(archive, "line_of", lambda row: honest(row).replace(b"e-3", b"e-4"))
        with pytest.raises(ArchiveError, match="the chain breaks at 3"):
            await write(owner, tmp_path)
    assert [*(tmp_path / "training").iterdir()] == []
    assert len(await write(owner, tmp_path)) == 3


@pytest.mark.parametrize("harm", ["byte", "cut", "gone", "other"])
async def test_a_file_that_is_not_what_was_written_is_told(owner, tmp_path, harm):
    await written(owner)
    await write(owner, tmp_path)
    file, manifest = tmp_path / "training" / "2003-06.ndjson.zst", tmp_path / "training" / "2003-06.json"
    content = file.read_bytes()
    if harm == "byte":
        file.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    elif harm == "cut":
        file.write_bytes(content[:-10])
    elif harm == "gone":
        file.unlink()
        manifest.unlink()
    else:
        shutil.copy(tmp_path / "training" / "2003-05.ndjson.zst", file)
    done = CliRunner().invoke(app, ["archive", "verify", "training", "--folder", str(tmp_path)])
    assert done.exit_code == 1
    assert "2003-0" in done.output
    if harm == "gone":
        with pytest.raises(ArchiveError):
            await write(owner, tmp_path)
    else:
        with pytest.raises(ArchiveError):
            [*archive.rows(tmp_path, "training")]


async def test_an_archive_of_another_log_is_refused(owner, tmp_path):
    await written(owner)
    await write(owner, tmp_path)
    await owner.execute("delete from log; delete from recorded; delete from archived")
    await written(owner, poison=(2, b"{}"))
    with pytest.raises(ArchiveError, match="another log's archive"):
        await write(owner, tmp_path)


async def test_a_clock_that_went_back_loses_no_row(owner, tmp_path):
    await written(owner, {5: 3, 6: 2, 4: 2, 7: 3, 8: 1})
    found = await write(owner, tmp_path)
    assert found[-1].last == 10
    assert [row.position for row in archive.rows(tmp_path, "training")] == [*range(1, 11)]


async def test_the_verb(owner, tmp_path, postgres_server):
    await written(owner)
    address = postgres_server.server.url(database=await owner.fetchval("select current_database()"))
    words = ["archive", "write", "training", "--folder", str(tmp_path), "--database-url", address]
    done = await run(words)
    assert (done.exit_code, done.output.count("rows")) == (0, 3), done.output
    assert "no further month is closed" in (await run(words)).output
    assert (await run([*words, "--until", "May"])).exit_code == 2
    verified = await run(["archive", "verify", "training", "--folder", str(tmp_path)])
    assert verified.output.startswith("training: 3 files, up to position 17, 2003-08, head ")


async def run(words):
    return await asyncio.to_thread(CliRunner().invoke, app, words)
