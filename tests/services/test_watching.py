"""A durable that has something before it and does not move makes its service not ready; one that rests does not."""

import asyncio
import contextlib
import json
from types import SimpleNamespace

from shared.flow import watching
from shared.flow.watching import Watch
from shared.run import steady


class Server:
    """Answers as NATS does about durables."""

    def __init__(self, **durables):
        self.durables, self.asked = durables, 0

    async def request(self, subject, _payload, **_options):
        self.asked += 1
        pending, unacknowledged, floor = self.durables[subject.split(".")[-2]]
        answer = {"num_pending": pending, "num_ack_pending": unacknowledged, "ack_floor": {"stream_seq": floor}}
        return SimpleNamespace(data=json.dumps(answer).encode())


async def test_only_what_has_something_before_it_and_does_not_move_is_told(monkeypatch):
    monkeypatch.setattr(watching, "LOOK_S", 0)
    server = Server(INTEL=(5, 0, 7), LEGAL=(0, 2, 3), INTAKE_GTM=(0, 0, 9), INTAKE_HND=(9, 9, 1))
    watch = Watch(server, "training", [(stream, "training") for stream in server.durables])
    looking = asyncio.create_task(watch.run())

    async def look(times=8):
        upto = server.asked + times
        while server.asked < upto:
            await asyncio.sleep(0)

    await look()
    assert watch.faults() == []
    now = steady.time.monotonic()
    monkeypatch.setattr(steady.time, "monotonic", lambda: now + steady.STANDS_S + 1)
    server.durables["INTAKE_HND"] = (9, 9, 2)
    await look()
    assert watch.faults() == [
        f"nothing of {stream} (training) is taken in behind {at}" for stream, at in (("INTEL", 7), ("LEGAL", 3))
    ]
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking
