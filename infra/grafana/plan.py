"""The region's figure of the Plan's rows, as PromQL."""

from services.indicators.planned.rows import Row

RATIOS = {"ratio", "share", "mean", "latency", "trend"}
"""Kinds whose figure is a numerator over a denominator."""
PLAIN = {"count", "difference", "current", "countries", "distinct", "age", "score", "average"}
"""Kinds whose figure is a sum, or stands by itself."""


def regional(rows: list[Row]) -> str:
    """Return the PromQL for the region's figure of each row, by `indicator`; without a figure, no series.

    From the operator's address it is exact; from the public one, what may not be published is no part of a sum.
    """
    chosen = [row for row in rows if row.headline]
    complete = [row for row in rows if row.every]
    others = [row for row in rows if row not in chosen and row not in complete]
    ratios = [row for row in others if row.kind in RATIOS and row.labels]
    plain = [row for row in others if row not in ratios]
    parts = [_sum("value", plain)] if plain else []
    parts += [_ratio(ratios)] if ratios else []
    parts += [
        _ratio([row], row.headline) if row.kind in RATIOS else _sum("value", [row], row.headline) for row in chosen
    ]
    parts += [_in_all(row) for row in complete]
    return " or ".join(parts)


def _ratio(rows: list[Row], chosen: dict[str, str] | None = None) -> str:
    return f"{_sum('numerator', rows, chosen)} / {_sum('denominator', rows, chosen)}"


def _sum(family: str, rows: list[Row], chosen: dict[str, str] | None = None) -> str:
    ids = "|".join(row.id.replace(".", "[.]") for row in rows)
    parts = {"input": ""} if any(row.inputs for row in rows) else {}  # of what is made of rows: the whole only
    more = "".join(f',{label}="{value}"' for label, value in {**parts, **(chosen or {})}.items())
    return f'sum by (indicator) (crm_indicator_{family}{{country="REG",indicator=~"{ids}"{more}}})'


def _in_all(row: Row) -> str:
    """Count the countries that have every one of the row's values."""
    (label,) = row.labels
    having = f'crm_indicator_value{{indicator="{row.id}",country!="REG",{label}=~"{"|".join(row.every)}"}}'
    complete = f"count(sum by (country) ({having}) == {len(row.every)}) or 0 * sum(crm_fold_sequence)"
    return f'label_replace({complete}, "indicator", "{row.id}", "", "")'
