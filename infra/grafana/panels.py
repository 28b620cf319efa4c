"""Panels in this house's form: every query with its letter, the data source a variable, units always given."""

import re
from collections.abc import Mapping
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from services.indicators.planned.hierarchy import Text

VARIABLE = "datasource"
SOURCE = models.DataSourceRef(type_val="prometheus", uid=f"${{{VARIABLE}}}")
WIDE, HIGH = 24, 8
GOOD, POOR, BAD = "green", "orange", "red"

Said = Text | str
"""What people read: in their language, or the same in all."""
YES, NO = Text("sí", "yes", "oui"), Text("no", "no", "non")
CLOCK = "max(crm_clock_timestamp_seconds)"
"""The present: plan time where it is played."""
Titles = tuple[Said, Text]
"""A title, and what it means."""
Steps = Mapping[float | None, str]
"""Thresholds: from this value on (None: below all), in this colour."""
SHARES, TIMES, NUMBERS = "percentunit", "dtdurations", "short"
INSTANT = "dateTimeAsIso"


class Panels:
    """Panels whose texts are in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def say(self, text: Said) -> str:
        """Return a text in the language; French has its own apostrophe."""
        said = text if isinstance(text, str) else str(getattr(text, self.lang))
        return said.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") if self.lang == "fr" else said

    def lines(  # noqa: PLR0913 - how a graph looks
        self,
        titles: Titles,
        queries: Mapping[Said, str],
        *,
        unit: str = "short",
        width: int = 12,
        step: bool = False,
        steps: Steps | None = None,
    ) -> Any:
        """Return a graph over time; `queries` maps legends to PromQL."""
        panel = timeseries.Panel().unit(unit).min(0).fill_opacity(8).line_width(2)
        panel.legend(common.VizLegendOptions().display_mode(common_models.LegendDisplayMode.LIST).show_legend(True))
        panel.tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
        if step:
            panel.line_interpolation(common_models.LineInterpolation.STEP_AFTER)
        if steps:
            panel.thresholds(_thresholds(steps))
            panel.thresholds_style(
                common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED)
            )
        for number, (legend, expr) in enumerate(queries.items()):
            panel.with_target(_query(number, expr).legend_format(self.say(legend)).range())
        return self._placed(panel, titles, width, HIGH)

    def figure(  # noqa: PLR0913 - how a number looks
        self,
        titles: Titles,
        expr: str,
        *,
        unit: str = "short",
        legend: str = "__auto",
        width: int = 4,
        steps: Steps | None = None,
        mappings: list[dict[str, Any]] | None = None,
    ) -> Any:
        """Return one large figure (or one for each series), as of now."""
        panel = stat.Panel().unit(unit).no_value("—").graph_mode(common_models.BigValueGraphMode.NONE)
        panel.color_mode(common_models.BigValueColorMode.VALUE if steps else common_models.BigValueColorMode.NONE)
        if steps:
            panel.thresholds(_thresholds(steps))
        if mappings:
            panel.mappings(mappings)  # type: ignore[arg-type]  # in Grafana's own JSON
        panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        panel.with_target(_query(0, expr).legend_format(legend).instant())
        return self._placed(panel, titles, width, 4)

    def rows(
        self,
        titles: Titles,
        columns: Mapping[Said, str],
        labels: Mapping[str, Said],
        properties: Mapping[Said, Mapping[str, Any]],
        *,
        height: int = HIGH,
    ) -> Any:
        """Return a table: `columns` maps column titles to PromQL, `labels` the labels that are shown to theirs.

        The queries are joined on the labels that they share; rows are sorted by the first label. A column whose title
        is empty is there for its labels alone. `properties` gives columns units, mappings and the like, by title.
        """
        panel = table.Panel().no_value("—")
        renamed, hidden = {}, {"Time": True}
        for number, (title, expr) in enumerate(columns.items()):
            panel.with_target(_query(number, expr).format(PromQueryFormat.TABLE).instant())
            name = f"Value #{ascii_uppercase[number]}" if len(columns) > 1 else "Value"
            if title:
                renamed[name] = self.say(title)
            else:
                hidden[name] = True
        shown = {label: self.say(title) for label, title in labels.items()}
        panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        order = {name: place for place, name in enumerate([*shown, *renamed])}
        arranged = {"excludeByName": hidden, "indexByName": order, "renameByName": {**shown, **renamed}}
        panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=arranged))
        for column, wanted in properties.items():
            given = [models.DynamicConfigValue(id_val=key, value=value) for key, value in wanted.items()]
            panel.override_by_name(self.say(column), given)
        first = next(iter(shown.values()))
        panel.sort_by([common.TableSortByFieldState().display_name(first).desc(False)])
        return self._placed(panel, titles, WIDE, height)

    def texts(self, known: Mapping[str, tuple[Said, str | None]]) -> list[dict[str, Any]]:
        """Return value mappings: value -> (text, colour or None)."""
        options = {
            value: {"text": self.say(text), "index": number, **({"color": colour} if colour else {})}
            for number, (value, (text, colour)) in enumerate(known.items())
        }
        return [{"type": "value", "options": options}]

    def _placed(self, panel: Any, titles: Titles, width: int, height: int) -> Any:
        title, description = titles
        panel.title(self.say(title)).description(self.say(description)).datasource(SOURCE)
        return panel.span(width).height(height)


def any_of(ids: list[str]) -> str:
    """Return the regular expression of a label's matcher for any of these values."""
    return "|".join(re.escape(one).replace("\\.", "[.]").replace("\\-", "-") for one in ids)


def coloured(steps: Steps) -> dict[str, Any]:
    """Return the properties of a column whose text has the threshold's colour."""
    return {
        "thresholds": {"mode": "absolute", "steps": [{"value": at, "color": one} for at, one in steps.items()]},
        "custom.cellOptions": {"type": "color-text"},
    }


def _thresholds(steps: Steps) -> Any:
    levels = [models.Threshold(value=at, color=colour) for at, colour in steps.items()]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(levels)


def _query(number: int, expr: str) -> Any:
    return prometheus.Dataquery().expr(expr).ref_id(ascii_uppercase[number]).datasource(SOURCE)


def same(es: str, en: str, fr: str) -> tuple[Text, Text]:
    """Return a title that says it all, and is its description too."""
    return Text(es, en, fr), Text(es, en, fr)
