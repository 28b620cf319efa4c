"""What the door says of a report, made from the published example of its type."""

from datetime import UTC, datetime

import msgspec

from shared.contracts import Refused, registry
from shared.contracts.report import accepted
from shared.contracts.schema import example

NOW = datetime(2024, 3, 2, tzinfo=UTC)


def judged(name, *, version=1, headers=None, envelope=None, **changed):
    """The event that a report becomes, or [(pointer, code)] of its refusal."""
    whole = example(registry()[f"crm.{name}.v{version}"]) | (envelope or {})
    whole["data"] = {field: value for field, value in (whole["data"] | changed).items() if value is not ...}
    whole = {field: value for field, value in whole.items() if value is not ...}
    country = whole["source"].split(":")[3]
    try:
        return accepted(f"crm.in.{country}.{name}", headers, msgspec.json.encode(whole), NOW)
    except Refused as verdict:
        return [(problem.pointer, problem.code) for problem in verdict.problems]


def refusal(name, **changed):
    found = judged(name, **changed)
    return found if isinstance(found, list) else []
