"""Panels in this house's form: every query with its letter, the data source a variable, units always given."""

from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

VARIABLE = "datasource"
SOURCE = models.DataSourceRef(type_val="prometheus", uid=f"${{{VARIABLE}}}")
WIDE, HIGH = 24, 8

Titles = tuple[str, str]
"""What people read, in Spanish, and what it means, in English."""


def lines(titles: Titles, queries: dict[str, str], *, unit: str = "short", width: int = 12, step: bool = False) -> Any:
    """Return a graph over time; `queries` maps legends to PromQL."""
    panel = timeseries.Panel().unit(unit).min(0).fill_opacity(8).line_width(2)
    panel.legend(common.VizLegendOptions().display_mode(common_models.LegendDisplayMode.LIST).show_legend(True))
    panel.tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
    if step:
        panel.line_interpolation(common_models.LineInterpolation.STEP_AFTER)
    for number, (legend, expr) in enumerate(queries.items()):
        panel.with_target(_query(number, expr).legend_format(legend).range())
    return _placed(panel, titles, width, HIGH)


def figure(titles: Titles, expr: str, *, unit: str = "short", legend: str = "__auto", width: int = 4) -> Any:
    """Return one large figure (or one for each series), as of now."""
    panel = stat.Panel().unit(unit).no_value("—").color_mode(common_models.BigValueColorMode.NONE)
    panel.graph_mode(common_models.BigValueGraphMode.NONE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.with_target(_query(0, expr).legend_format(legend).instant())
    return _placed(panel, titles, width, 4)


def rows(
    titles: Titles, columns: dict[str, str], first: str, properties: dict[str, dict[str, Any]], *, height: int = HIGH
) -> Any:
    """Return a table: `columns` maps two or more column titles to PromQL, joined on the one label `first`.

    `properties` gives columns units, mappings and the like, by title; its first title is that of the label's column.
    """
    panel = table.Panel().no_value("—")
    renamed = {}
    for number, (title, expr) in enumerate(columns.items()):
        panel.with_target(_query(number, expr).format(PromQueryFormat.TABLE).instant())
        renamed[f"Value #{ascii_uppercase[number]}"] = title
    label = next(iter(properties))
    panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    order = {name: place for place, name in enumerate([first, *renamed])}
    arranged = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": {first: label, **renamed}}
    panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=arranged))
    for column, wanted in properties.items():
        panel.override_by_name(column, [models.DynamicConfigValue(id_val=key, value=v) for key, v in wanted.items()])
    return _placed(panel, titles, WIDE, height)


def texts(known: dict[str, tuple[str, str | None]]) -> list[dict[str, Any]]:
    """Return value mappings: value -> (text, colour or None)."""
    options = {
        value: {"text": text, "index": number, **({"color": colour} if colour else {})}
        for number, (value, (text, colour)) in enumerate(known.items())
    }
    return [{"type": "value", "options": options}]


def _query(number: int, expr: str) -> Any:
    return prometheus.Dataquery().expr(expr).ref_id(ascii_uppercase[number]).datasource(SOURCE)


def _placed(panel: Any, titles: Titles, width: int, height: int) -> Any:
    title, description = titles
    return panel.title(title).description(description).datasource(SOURCE).span(width).height(height)
