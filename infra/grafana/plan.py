"""The figure of the Plan's rows, of the region or of a country, as PromQL."""

from infra.grafana.panels import any_of
from services.indicators.planned.rows import Row
from shared.contracts.vocabulary import REGION

RATIOS = {"ratio", "share", "mean", "latency", "trend"}
"""Kinds whose figure is a numerator over a denominator."""
PLAIN = {"count", "difference", "current", "countries", "distinct", "age", "score", "average"}
"""Kinds whose figure is a sum, or stands by itself."""


def regional(rows: list[Row]) -> str:
    """Return the PromQL for the region's figure of each row, by `indicator`; without a figure, no series.

    From the operator's address it is exact; from the public one, what may not be published is no part of a sum.
    """
    return figures(rows, REGION)


def figures(rows: list[Row], country: str) -> str:
    """Return the PromQL for each row's figure of a country (or a variable of a dashboard that names one)."""
    chosen = [row for row in rows if row.headline]
    complete = [row for row in rows if row.every]
    others = [row for row in rows if row not in chosen and row not in complete]
    ratios = [row for row in others if row.kind in RATIOS and row.labels]
    plain = [row for row in others if row not in ratios]
    parts = [_sum("value", plain, country)] if plain else []
    parts += [_ratio(ratios, country)] if ratios else []
    parts += [
        _ratio([row], country, row.headline) if row.kind in RATIOS else _sum("value", [row], country, row.headline)
        for row in chosen
    ]
    parts += [_in_all(row, country) for row in complete]
    return " or ".join(parts)


def _ratio(rows: list[Row], country: str, chosen: dict[str, str] | None = None) -> str:
    return f"{_sum('numerator', rows, country, chosen)} / {_sum('denominator', rows, country, chosen)}"


def _sum(family: str, rows: list[Row], country: str, chosen: dict[str, str] | None = None) -> str:
    ids = any_of([row.id for row in rows])
    parts = {"input": ""} if any(row.inputs for row in rows) else {}  # of what is made of rows: the whole only
    more = "".join(f',{label}="{value}"' for label, value in {**parts, **(chosen or {})}.items())
    return f'sum by (indicator) (crm_indicator_{family}{{country="{country}",indicator=~"{ids}"{more}}})'


def _in_all(row: Row, country: str) -> str:
    """Count the countries that have every one of the row's values; of one country, 1 if it has."""
    (label,) = row.labels
    which = 'country!="REG"' if country == REGION else f'country="{country}"'
    having = f'crm_indicator_value{{indicator="{row.id}",{which},{label}=~"{"|".join(row.every)}"}}'
    complete = f"count(sum by (country) ({having}) == {len(row.every)}) or 0 * sum(crm_fold_sequence)"
    return f'label_replace({complete}, "indicator", "{row.id}", "", "")'
