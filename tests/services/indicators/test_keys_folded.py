"""A report names checkpoints that hold all that its figures rest on, and waits for them for some seconds only."""

import pytest

from services.indicators.publish import signed
from shared.record import note


def checkpoint(service, size):
    one = note.Checkpoint(f"crm.region/log/{service}", size, bytes(32))
    return note.signed(one, [note.Signer(one.origin, note.SIGNS, bytes(32)).sign(one.text)])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(signed, "POLL_S", 0.0)


async def test_a_checkpoint_is_named_when_it_holds_all_that_was_folded():
    sizes = {"intel": iter([90, 99, 100]), "legal": iter([7]), "training": iter([5] * signed.LOOKS)}
    asked = []

    async def newest(service):
        asked.append(service)
        return checkpoint(service, next(sizes[service])) if service in sizes else ""

    found = await signed.covering(newest, {"intel": 100, "legal": 3, "training": 6, "victims": 2, "indicators": 0})
    assert found == {"intel": checkpoint("intel", 100), "legal": checkpoint("legal", 7)}
    assert asked.count("intel") == 3
    assert asked.count("training") == signed.LOOKS, "it is not waited for for ever"
    assert (asked.count("victims"), asked.count("indicators")) == (1, 0)


async def test_what_cannot_be_read_is_not_named():
    async def newest(_service):
        return "nothing\n\nof that kind"

    assert await signed.covering(newest, {"intel": 1}) == {}
