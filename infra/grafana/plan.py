"""The Plan's rows and milestones, read as data from the files that indicators itself reads."""

import tomllib
from pathlib import Path
from typing import Any

PLAN = Path(__file__).parents[2] / "services" / "indicators" / "plan"
RATIOS = {"ratio", "mean", "latency", "trend"}
"""Kinds whose figure is a numerator over a denominator."""


def load(folder: Path = PLAN) -> dict[str, list[dict[str, Any]]]:
    """Return the lists `area`, `indicator` and `milestone`, in the order of the files and within them."""
    found: dict[str, list[dict[str, Any]]] = {"area": [], "indicator": [], "milestone": []}
    for file in sorted(folder.glob("*.toml")):
        content = tomllib.loads(file.read_text())
        for kind, members in found.items():
            members.extend(content.get(kind, []))
    return found


def regional(rows: list[dict[str, Any]]) -> str:
    """Return the PromQL for the region's figure of each row, by `indicator`; without a figure, no series.

    What may not be published is not in the metrics, so a sum over victims is a sum of what may be shown.
    """
    plain = [row for row in rows if row["kind"] not in RATIOS and not row.get("every") and not row.get("headline")]
    ratios = [row for row in rows if row["kind"] in RATIOS]
    parts = [_sum("value", plain)] if plain else []
    parts += [f"{_sum('numerator', ratios)} / {_sum('denominator', ratios)}"] if ratios else []
    parts += [_sum("value", [row], row["headline"]) for row in rows if row.get("headline")]
    parts += [_in_all(row) for row in rows if row.get("every")]
    return " or ".join(parts)


def _sum(family: str, rows: list[dict[str, Any]], chosen: dict[str, str] | None = None) -> str:
    ids = "|".join(row["id"].replace(".", "[.]") for row in rows)
    more = "".join(f',{label}="{value}"' for label, value in (chosen or {}).items())
    return f'sum by (indicator) (crm_indicator_{family}{{country="REG",indicator=~"{ids}"{more}}})'


def _in_all(row: dict[str, Any]) -> str:
    """Count the countries that have every one of the row's values."""
    (label,) = row["labels"]
    having = f'crm_indicator_value{{indicator="{row["id"]}",country!="REG",{label}=~"{"|".join(row["every"])}"}}'
    complete = f"count(sum by (country) ({having}) == {len(row['every'])}) or 0 * sum(crm_fold_sequence)"
    return f'label_replace({complete}, "indicator", "{row["id"]}", "", "")'
