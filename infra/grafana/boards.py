"""A dashboard: its name, the question that it answers, who asks it, its rows of panels; and the links between all."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from infra.grafana.panels import VARIABLE, Panels, Said
from services.indicators.planned.hierarchy import Text

FIRST = "es"
"""The language whose dashboards have the plain names."""
Rows = Iterator[tuple[Said, list[Any]]]
SOURCE = Text("Fuente de datos", "Data source", "Source de données")
LINKS = {
    "plan": Text("El Plan", "The Plan", "Le Plan"),
    "operations": Text("Operación", "Operations", "Exploitation"),
}
"""Who asks -> what the links to the dashboards for them are called."""


@dataclass(frozen=True)
class Board:
    """One dashboard."""

    name: str
    """Its file, and with `crm-` before it what addresses have."""
    title: Text
    asks: Text
    """The question that it answers."""
    who: str
    """A key of `LINKS`."""
    rows: Callable[[Panels], Rows]
    uid: str = ""
    variables: Sequence[Callable[[Panels], Any]] = ()

    def identity(self, lang: str) -> str:
        """Return what names it in addresses."""
        return named(self.uid or f"crm-{self.name}", lang)

    def text(self, lang: str) -> str:
        """Return its JSON as it is committed: a panel a line."""
        built = self._built(Panels(lang))
        for number, panel in enumerate(built.panels, 1):
            panel.id_val = number  # the SDK leaves it out, and Grafana would then treat all as one
        found = json.loads(json.dumps(built, cls=JSONEncoder))
        return _spread(found)

    def _built(self, panels: Panels) -> Any:
        say, lang = panels.say, panels.lang
        board = dashboard.Dashboard(say(self.title)).uid(self.identity(lang))
        board.tags(["crm", f"crm-{self.who}-{lang}"]).readonly().description(say(self.asks))
        board.time("now-6h", "now").refresh("30s").timezone("utc")
        board.with_variable(dashboard.DatasourceVariable(VARIABLE).type("prometheus").label(say(SOURCE)))
        for variable in self.variables:
            board.with_variable(variable(panels))
        for who, called in LINKS.items():
            link = dashboard.DashboardLink(say(called)).type(models.DashboardLinkType.DASHBOARDS).as_dropdown(True)
            board.link(link.tags([f"crm-{who}-{lang}"]).keep_time(True).include_vars(True))
        for title, row in self.rows(panels):
            board.with_row(dashboard.Row(say(title)))
            for panel in row:
                board.with_panel(panel)
        return board.build()


def named(uid: str, lang: str) -> str:
    """Return what names a dashboard in one language."""
    return uid if lang == FIRST else f"{uid}-{lang}"


def _spread(found: dict[str, Any]) -> str:
    """Return the JSON with a line for each panel, so that a change shows as what it is."""
    panels = found.pop("panels")
    head = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n  ".join(json.dumps(one, sort_keys=True, ensure_ascii=False) for one in panels)
    return f'{head},\n "panels": [\n  {lines}\n ]\n}}\n'
