"""A region in which every country reported every type, its board, and a browser."""

import pytest

from services.indicators.figures import examples
from services.indicators.publish import reports
from services.indicators.publish.store import Published
from shared.contracts import registry
from shared.contracts.vocabulary import MEMBERS
from tests.harness.browser import browser
from tests.services.indicators.making import CONTRACTS, PLAN, event, folded, instant
from tests.services.indicators.serving import served, viewed
from tests.services.indicators.test_desk import ALERTS, FLOW, Streams, seated

NOW = instant("2004-07-15")


def known():
    """What the region knows: of forged documents four fewer in the second quarter, three of them in Honduras."""
    names = sorted({one.name for one in registry().values() if one.name in CONTRACTS and not one.generic})
    days = ("2003-11-03T10:00:00Z", "2004-05-04T10:00:00Z", "2004-07-06T10:00:00Z")
    every = [event(name, country, day) for name in names for country in MEMBERS for day in days]
    first = [("HND", 9), ("GTM", 6), *((one, 1) for one in MEMBERS if one not in {"HND", "GTM"})]
    more = [
        event("intel.document.flagged", one, f"2004-02-{day:02}T10:00:00Z") for one, n in first for day in range(1, n)
    ]
    more += [event("intel.document.confirmed", one, "2004-02-20T10:00:00Z") for one in MEMBERS]
    return folded(*every, *more)


@pytest.fixture(scope="session")
def base():
    fold = known()
    fold.state.sequences |= {"intel": len(FLOW), "victims": len(ALERTS)}
    made = {name: reports.content(reports.report(PLAN, fold.state, name, 1)) for name in ("2004-Q1", "2004-Q2")}

    async def report(quarter, _revision):
        return made.get(quarter)

    async def published():
        return [Published(name, 1, NOW, b"") for name in made]

    given = {
        "now": lambda: NOW,
        "report": report,
        "reports": published,
        "played": True,
        "ready": lambda: True,
        "faults": list,
        "examples": examples.by_row(examples.load()),
        "recall": Streams(intel=FLOW, victims=ALERTS),
        "seats": seated(),
    }
    with served(viewed(fold, **given)) as address:
        yield address


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as one:
        yield one
