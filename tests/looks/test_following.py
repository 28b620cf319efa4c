"""An open page follows what is reported, keeps what somebody does with it, and says when the server is away."""

import asyncio
import threading
import time

import pytest
import uvicorn

from services.indicators.publish.app import app
from shared.run.web import Door
from tests.looks.conftest import NOW
from tests.services.indicators.making import event, folded
from tests.services.indicators.serving import viewed

WAIT_S = 60.0
MOVED = "IE-3.1ii"


class Board:
    """A board with all that runs beside it, whose fold takes events while it is open."""

    def __init__(self):
        self.fold = folded(event("intel.document.flagged"), event("intel.meeting.held", date="2004-02-03"))
        self.view = viewed(self.fold, now=lambda: NOW, ready=lambda: True, faults=list)
        self.server = uvicorn.Server(
            uvicorn.Config(
                Door(app(self.view)), port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1
            )
        )
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()))
        self.thread.start()
        until(lambda: self.server.started)
        self.address = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    async def serve(self):
        self.loop = asyncio.get_running_loop()
        beside = [asyncio.create_task(one()) for one in (self.view.keep, self.view.live.turns)]
        await self.server.serve()
        for one in beside:
            one.cancel()

    def record(self, payload):
        sequence = self.fold.state.sequences["intel"] + 1
        self.loop.call_soon_threadsafe(self.fold.apply, "intel", sequence, payload)

    def stop(self):
        self.server.should_exit = True
        self.thread.join()


def until(holds):
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def board():
    one = Board()
    yield one
    one.stop()


def number(page):
    return page.value(f"document.querySelector('[id=\"row-{MOVED}\"] strong').textContent")


def test_an_event_moves_its_number_and_takes_nothing_from_who_reads(board, page):
    page.open(f"{board.address}/?lang=en", 1400)
    until(lambda: board.view.live.watchers)
    page.value("document.querySelector('[id=\"row-LE-2.1\"] a').focus({preventScroll: true})")
    page.value("getSelection().selectAllChildren(document.querySelector('[id=\"row-IE-3.1ii\"] th'))")
    page.value("scrollTo(0, 1500)")
    had = page.value("[String(getSelection()), document.activeElement.href, scrollY]")
    before = number(page)
    begun = time.monotonic()
    board.record(event("intel.document.flagged", "HND", "2004-07-14T10:00:00Z"))
    until(lambda: number(page) != before)
    print(f"on the page after {time.monotonic() - begun:.2f} s")
    assert int(number(page)) == int(before) + 1
    assert had[0]
    assert page.value("[String(getSelection()), document.activeElement.href, scrollY]") == had


def test_a_paused_page_stays_and_then_comes_up_to_date(board, page):
    page.open(f"{board.address}/?lang=en", 1400)
    until(lambda: board.view.live.watchers)
    page.value("document.getElementById('pause').click()")
    assert page.value("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
    before = number(page)
    board.record(event("intel.document.flagged", "HND", "2004-07-14T10:00:00Z"))
    until(lambda: page.value(f"waiting.has('row-{MOVED}')"))
    assert number(page) == before
    page.value("document.getElementById('pause').click()")
    assert int(number(page)) == int(before) + 1


@pytest.mark.parametrize(
    ("path", "said"), [("/?lang=es", "El servidor no responde"), ("/wall?lang=en", "The server is away")]
)
def test_a_page_says_when_the_server_is_away(page, path, said):
    board = Board()
    try:
        page.open(board.address + path, 1400)
        until(lambda: board.view.live.watchers)
        assert page.value("document.getElementById('away').hidden")
    finally:
        board.stop()
    until(lambda: not page.value("document.getElementById('away').hidden"))
    assert said in page.value("document.getElementById('away').innerText")
