"""What pages and tools that watch are told: what has changed since, made once for all, and nothing that is guarded."""

import asyncio
import json
import zlib
from contextlib import aclosing
from datetime import date

import msgspec
import pytest
from starlette.requests import Request

from services.indicators.figures.disclosure import guarded
from services.indicators.figures.figures import all_figures
from services.indicators.figures.kinds import Span
from services.indicators.publish import live
from services.indicators.publish.answers import summary
from services.indicators.publish.live import FIGURES, NOTHING
from shared.run.refusals import Refused
from tests.services.indicators.making import CONTRACTS, PLAN, event, folded, instant
from tests.services.indicators.serving import get, served, viewed

EVERYTHING = [event(name) for name in sorted(CONTRACTS)]


def read(sent: bytes):
    """The id and the data of an event."""
    told = dict(line.split(": ", 1) for line in sent.decode().splitlines() if line)
    return told.get("id"), json.loads(told["data"]) if "data" in told else None


class Watching:
    """Someone who watches, and has heard the greeting."""

    def __init__(self, view, channel=FIGURES, since=""):
        self.events = view.live._events(channel, view.live._mark(since))

    async def __aenter__(self):
        assert (await anext(self.events)).startswith(b": watching")
        return self

    async def __aexit__(self, *_raised):
        await self.events.aclose()

    async def next(self):
        return read(await asyncio.wait_for(anext(self.events), 20))


def published(fold):
    found = all_figures(PLAN, fold.state, Span.now(instant("2003-12-31").date()), closed=date(2003, 9, 30))
    return [json.loads(msgspec.json.encode(summary(one, 0))) for one in found]


async def test_a_tool_gets_every_row_and_then_those_that_change_as_the_api_publishes_them():
    fold = folded(*EVERYTHING)
    view = viewed(fold)
    async with Watching(view) as tool:
        _, data = await tool.next()
        order = lambda row: row["id"]  # noqa: E731
        assert sorted(data, key=order) == sorted(published(fold), key=order)
        before = {row["id"]: row for row in data}
        for number in range(30):
            fold.apply("victims", 900 + number, event("victims.service.provided", "HND"))
            fold.apply("intel", 900 + number, event("intel.document.flagged", "HND"))
        await view.live.turn()
        identity, data = await tool.next()
        changed = [row for row in published(fold) if row != before[row["id"]]]
        told = {row["id"]: row for row in data}
        assert changed
        assert [told[row["id"]] for row in changed] == changed
        assert not told.keys() & guarded(PLAN)
        assert len(data) < len(PLAN.rows) / 4
        assert identity == view.live.identity()


async def test_all_who_take_it_get_the_same_compressed_event():
    fold = folded(*EVERYTHING)
    view = viewed(fold)
    plain, first, second = (view.live._events("es", NOTHING, squeezed=squeezed) for squeezed in (False, True, True))
    readers = [zlib.decompressobj(16 + zlib.MAX_WBITS) for _ in range(2)]
    for number in range(4):
        told, *squeezed = [await anext(one) for one in (plain, first, second)]
        assert squeezed[0] == squeezed[1]
        assert [reader.decompress(squeezed[0]) for reader in readers] == [told, told]
        assert number in {0, 2} or len(squeezed[0]) < len(told) / 2
        fold.apply("intel", 900 + number, event("intel.meeting.held"))
        await view.live.turn()
    for one in (plain, first, second):
        await one.aclose()


async def test_who_comes_again_goes_on_where_it_was():
    fold = folded(*EVERYTHING)
    view = viewed(fold)
    async with Watching(view) as tool:
        identity, _ = await tool.next()
    fold.apply("intel", 900, event("intel.meeting.held"))
    async with Watching(view, since=identity) as tool:
        _, data = await tool.next()
        assert "IE-2.1" in {row["id"] for row in data}
        assert len(data) < len(PLAN.rows) / 4
    own = identity.partition("-")[0]
    for other in ("", "00000000-1-1", "rubbish", f"{own}-1-x", f"{own}-1-٣", f"{own}-1-{'9' * 5000}", f"{own}--1"):
        async with Watching(view, since=other) as tool:
            assert len((await tool.next())[1]) == len(PLAN.rows)


async def test_who_comes_while_the_first_one_waits_gets_the_same():
    view = viewed(folded(*EVERYTHING))
    several = [Watching(view, "en") for _ in range(5)]
    await asyncio.gather(*(one.__aenter__() for one in several))
    told = await asyncio.gather(*(one.next() for one in several))
    assert all(one == told[0] for one in told)
    assert view.live.encodings == 1
    for one in several:
        await one.__aexit__()


async def test_one_working_out_and_one_encoding_serve_all():
    fold = folded(*EVERYTHING)
    view = viewed(fold)
    async with Watching(view, "es") as first:
        await first.next()
        others = [Watching(view, "es", view.live.identity()) for _ in range(50)]
        for one in others:
            await one.__aenter__()
        waiting = [asyncio.create_task(one.next()) for one in others]
        await asyncio.sleep(0)
        fold.apply("intel", 900, event("intel.meeting.held"))
        made, worked = view.live.encodings, view.kept[False].worked
        await view.live.turn()
        told = await asyncio.gather(*waiting)
        assert view.live.encodings - made <= 1
        assert view.kept[False].worked - worked < len(PLAN.rows) / 4
        assert all(one == told[0] for one in told)
        assert "row-IE-2.1" in told[0][1]
        for one in others:
            await one.__aexit__()
    assert view.live.watchers == 0


@pytest.mark.parametrize("lang", ["es", "en", "fr"])
async def test_a_page_gets_its_elements_in_its_language(lang):
    fold = folded(*EVERYTHING)
    view = viewed(fold)
    with served(view) as base:
        page = get(f"{base}/?lang={lang}")[1]
    async with Watching(view, lang) as board:
        _, data = await board.next()
    parts = {identity for identity in data if not identity.startswith("row-")}
    assert {"clock", "part-answer", "part-changed", "part-overdue", "part-milestones"} < parts
    assert len(data) == len(PLAN.rows) + len(parts)
    for identity, element in data.items():
        assert f'id="{identity}"' in element.partition(">")[0]
        if identity not in {"clock", "row-XC-1"}:
            assert element.strip() in page


async def test_a_beat_comes_though_nothing_has_changed(monkeypatch):
    monkeypatch.setattr(live, "BEATS", 3)
    view = viewed(folded(*EVERYTHING))
    async with Watching(view, "en") as board:
        await board.next()
        waiting = asyncio.create_task(board.next())
        turns = 0
        while not waiting.done():
            await view.live.turn()
            await asyncio.sleep(0.01)
            await asyncio.gather(*view.live._encoded.values())
            await asyncio.sleep(0)
            turns += 1
        assert set(waiting.result()[1]) == {"clock"}
        assert turns <= 4


async def test_who_is_too_many_is_refused_and_who_has_watched_long_comes_again(monkeypatch):
    view = viewed(folded(*EVERYTHING))
    monkeypatch.setattr(live, "LASTS_S", 0.0)
    async with aclosing(view.live._events("es", NOTHING)) as events:
        assert [one async for one in events][1:] == [b"event: again\r\ndata: \r\n\r\n"]
    monkeypatch.setattr(live, "WATCHERS_MAX", 0)
    with pytest.raises(Refused) as refused:
        view.live.watched(Request({"type": "http", "headers": []}), "es", "")
    assert refused.value.status_code == 503


def test_events_over_http_begin_at_once():
    with served(viewed(folded(*EVERYTHING))) as base:
        status, body, headers = get(f"{base}/api/events", **{"Last-Event-ID": "rubbish"})
        assert (status, headers.get_content_type(), body) == (200, "text/event-stream", ": watching\r\n")
        assert headers["cache-control"] == "no-store"
        assert get(f"{base}/api/events", "HEAD")[0] == 200
        assert get(f"{base}/events?since=rubbish")[0] == 400
