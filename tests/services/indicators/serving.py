"""A board over a fold, served on a port of its own, and what is asked of it."""

import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import uvicorn

from services.indicators.publish.app import app
from services.indicators.publish.recalling import Recalled
from services.indicators.publish.view import View
from shared.run.web import Door
from tests.services.indicators.making import PLAN, event, folded, instant


async def nothing(*_asked):
    return None


def example_fold():
    return folded(
        event("legal.treaty.ratified", "MEX", "2003-03-04T00:00:00Z", instrument="TIP"),
        event("legal.treaty.acceded", "BLZ", "2003-09-26T00:00:00Z", instrument="TIP"),
        event("victims.service.provided"),
        event("intel.meeting.held", "MEX", "2003-06-03T00:00:00Z", date="2003-06-03"),
        *[event("victims.referral.accepted", "HND", late=False, latency_s=7200)] * 12,
    )


class Again:
    """Some events read again, without a stream: all of them stand in INTEL."""

    def __init__(self, *flow):
        self.flow = flow

    async def read(self, _wanted, after, until, take, _limit_s):
        for sequence, payload in enumerate(self.flow, 1):
            if after.get("intel", 0) < sequence and not take("intel", sequence, payload):
                break
        return Recalled(dict(until))

    async def one(self, service, sequence):
        return self.flow[sequence - 1] if service == "intel" and sequence <= len(self.flow) else None


def viewed(fold, **named):
    """What is looked at: the fold at the end of 2003."""
    given = {
        "plan": PLAN,
        "state": lambda: fold.state,
        "streams": dict,
        "now": lambda: instant("2003-12-31"),
        "ready": lambda: False,
        "faults": lambda: ["the fold of INTEL stands"],
        "token": "secret",
        **dict.fromkeys(("report", "rebuild", "purged"), nothing),
    }
    return View(**given | named)


@contextmanager
def served(view):
    """The address of the board."""
    server = uvicorn.Server(uvicorn.Config(Door(app(view)), port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def get(address, method="GET", **headers):
    try:
        asked = urllib.request.Request(address, headers=headers, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            stream = answer.headers.get_content_type() == "text/event-stream"  # it has no end
            return answer.status, (answer.readline() if stream else answer.read()).decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def watched(address):
    """Return the data of the first event that a new watcher of server-sent events gets."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        return next(line[6:].decode() for line in answer if line.startswith(b"data: "))
