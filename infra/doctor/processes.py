"""What the processes tell: ready or why not, figures up to date, certificates in use, deadlines, upkeep."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from infra.doctor.finding import Told, found, note, ok

ASK_S = 5.0
CURES = (
    ("crm restore", "crm restore <service>, as it says"),
    ("crm provision", "crm provision"),
    ("clock", "chronyc makestep, on both machines"),
    ("PostgreSQL", "is PostgreSQL running, and does it answer?"),
    ("NATS", "is nats-server running, and does it answer?"),
    ("meddled", "crm provision puts it right; find out who did it (crm keys record, stream CHANGES)"),
)
"""What a fault names -> what to do about it."""


def ready(name: str, address: str) -> Iterator[Told]:
    """Tell whether a process does its work, and else what it lacks, in its own words."""
    status, body = _asked(f"{address}/readyz")
    if status is None:
        cure = "start it (docker compose up -d, make run); its log and exit code say why it ended"
        yield found("processes", f"{name} does not answer at {address}", cure)
    elif status == 200:  # noqa: PLR2004
        yield ok("processes", f"{name} is ready")
    else:
        for fault in body.get("faults") or [str(body.get("status", f"answers {status}"))]:
            yield found("processes", f"{name}: {fault}", _cure(fault, name))


def _cure(fault: str, name: str) -> str:
    return next((cure for word, cure in CURES if word in fault), f"the log of {name} says more").replace(
        "<service>", name
    )


def _asked(address: str) -> tuple[int | None, dict[str, Any]]:
    try:
        with urllib.request.urlopen(address, timeout=ASK_S) as answer:  # noqa: S310 - of the deployment asked for
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            return error.code, json.load(error)
        except ValueError:
            return error.code, {}
    except (OSError, ValueError):
        return None, {}


def uncounted(samples: Any) -> Iterator[Told]:
    """Tell whether all events are in the figures, by the operator's metrics of the board."""
    if not samples:
        yield note(
            "figures",
            "exact metrics are not to be had: is there an operator.token beside the keys?",
            "crm context add … --creds",
        )
        return
    aside = {one.labels["stream"]: one.value for one in samples if one.name == "crm_fold_aside_events"}
    folded = {one.labels["stream"]: one.value for one in samples if one.name == "crm_fold_sequence"}
    there = {one.labels["stream"]: one.value for one in samples if one.name == "crm_stream_sequence"}
    wrong = False
    for stream, number in aside.items():
        if number:
            wrong = True
            cure = f"missing in the stream: crm restore {stream.lower()}; else mend the fold and start indicators"
            yield found("figures", f"{number:,.0f} events of {stream} are not counted", cure)
    for stream, last in there.items():
        if last - folded.get(stream, 0) > 1000:  # noqa: PLR2004 - as CrmFoldBehind
            wrong = True
            yield found(
                "figures",
                f"{last - folded.get(stream, 0):,.0f} events of {stream} are not in the figures yet",
                "is indicators ready (above)?",
            )
    if not wrong:
        yield ok("figures", f"{sum(folded.values()):,.0f} events are counted, none is left out")


def late(name: str, samples: Any) -> Iterator[Told]:
    """Tell of deadlines that are due and are not recorded."""
    for one in samples:
        if one.name == "crm_deadline_late_seconds" and one.value > 60:  # noqa: PLR2004 - as CrmSweeperStopped
            cure = f"the log of {name} says why (deadlines wait, deadline failed); start it anew: nothing is lost"
            yield found("deadlines", f"{name} records nothing of what has been due for {one.value:,.0f} s", cure)
