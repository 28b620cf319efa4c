"""How many questions a sender has left, told by the clock."""

from types import SimpleNamespace

import pytest

from shared.ask import allowance
from shared.ask.admission import Admission
from shared.ask.allowance import Allowance


class At:
    """A clock that is put on by hand."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    at = At()
    monkeypatch.setattr(allowance, "time", at)
    return at


@pytest.fixture
def own(clock):
    return Allowance(500, _filled=clock.now)


def flooded(own):
    """Ask until shut out; return how many were answered, how many told, and the last wait told."""
    waits = []
    while own.expected(0.1):
        waits.append(own.wait_s())
    return waits.count(0), len(waits) - waits.count(0), waits[-1]


def test_a_second_s_questions_are_answered_at_once_and_the_next_told_when(own, clock):
    assert [own.wait_s() for _ in range(500)] == [0] * 500
    assert own.wait_s() == pytest.approx(1 / 500)
    clock.now += 0.1
    assert [own.wait_s() for _ in range(50)] == [0] * 50
    assert own.wait_s() > 0


def test_a_flood_is_told_fifty_times_then_shut_out_for_longer_each_time_and_anew_after_a_quiet_minute(own, clock):
    found = []
    for _ in range(7):
        found.append(flooded(own))
        assert own.wait_s() == found[-1][2], "whoever is still heard is told when it is listened to again"
        clock.now += found[-1][2] - 0.01
        assert own.expected(0.1) == 0
        clock.now += 0.02
    assert found[0] == (500, 50, 1)
    assert [pause for _, _, pause in found] == [1, 2, 4, 8, 16, 30, 30]
    assert all(answered <= 30 and told == 50 for answered, told, _ in found[1:])
    clock.now += 61
    assert flooded(own) == (500, 50, 1)


def test_who_asks_somewhat_too_much_is_told_and_never_shut_out(own, clock):
    told = 0
    for _ in range(20_000):
        clock.now += 1 / 900
        told += own.wait_s() > 0
    assert 0.3 < told / 20_000 < 0.5
    assert own.expected(0.1)


def test_what_an_answer_cost_is_charged_behind_it(own, clock):
    for _ in range(400):
        assert own.wait_s() == 0
        own.charge(3_000)
    assert own.owed_s() == 0, "small answers are what they seem"
    own.charge(40 << 20)
    assert own.owed_s() == pytest.approx((1280 - 100 + 400 * 3_000 / 32768) / 500)
    assert own.wait_s() > own.owed_s()
    clock.now += 3.5
    assert own.owed_s() == 0
    assert own.wait_s() == 0


def test_the_server_delivers_what_may_be_answered_or_told(own):
    assert own.expected(0.1) == 500 + 50 + 50
    for _ in range(500):
        own.wait_s()
    assert own.expected(0.1) == 50 + 50


class _Client:
    """Counts what the server may deliver: a subscription ends after so many."""

    def __init__(self):
        self.limits = []

    async def subscribe(self, *_, **__):
        self.delivered = 0
        return self

    async def unsubscribe(self, limit):
        self.limits.append(limit)


async def test_what_is_heard_and_not_taken_yet_is_not_asked_for_again():
    client = _Client()
    admission = Admission("intel", "GTM", client, Allowance(500), None, None)
    await admission.look()
    (first,) = client.limits
    client.delivered = first - 10  # all but ten have come, and the process has taken none
    for _ in range(client.delivered):
        await admission._hear(SimpleNamespace(data=b"{}"))
    await admission.look()
    assert client.limits == [first]
