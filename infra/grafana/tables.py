"""The tables of the Plan's figures: of a unit each, with targets and what is not known, for the region or a country."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from infra.grafana import plan
from infra.grafana.panels import GOOD, NO, NUMBERS, POOR, SHARES, TIMES, YES, Panels, Said, any_of
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import Plan, load
from services.indicators.planned.rows import Row
from services.indicators.publish.words import Words

UNITS = {"ratio": "percentunit", "ratio to the half-year before": "percentunit", "seconds": "dtdurations"}
"""Units of the Plan that Grafana knows how to write; of the others, numbers with their unit beside them."""
KINDS = {
    SHARES: Text("Proporciones", "Shares", "Proportions"),
    TIMES: Text("Tiempos", "Times", "Durées"),
    NUMBERS: Text("Cantidades", "Numbers", "Quantités"),
}
INDICATOR = Text("Indicador", "Indicator", "Indicateur")
UNIT = Text("Unidad", "Unit", "Unité")
FIGURE = Text("Región", "Region", "Région")
OWN = Text("Cifra", "Figure", "Chiffre")
TARGET = Text("Meta", "Target", "Cible")
MET = Text("Cumplida", "Met", "Atteinte")
REASON = Text("Por qué no se sabe", "Why it is not known", "Pourquoi on ne sait pas")
COVERAGE = Text("Países que informan", "Countries reporting", "Pays qui rendent compte")
HIDDEN = Text("Celdas no publicables", "Cells not published", "Cellules non publiables")
REASONS = {
    "no_data": Text("sin datos", "no data", "sans données"),
    "hidden": Text("no se publica", "not published", "non publié"),
    "parts": Text("faltan partes", "parts are missing", "des éléments manquent"),
    "silent": Text("países en silencio", "silent countries", "pays silencieux"),
    "coverage": Text("informan pocos países", "few countries report", "peu de pays rendent compte"),
}


@cache
def the_plan() -> Plan:
    """Return the plan that is shown."""
    return load()


@cache
def words(lang: str) -> Words:
    """Return the words of a language, the Plan's own among them."""
    return Words(lang, the_plan())


def _by_unit(members: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {unit: [] for unit in KINDS}
    for row in members:
        found[UNITS.get(row.unit, NUMBERS)].append(row)
    return {unit: rows for unit, rows in found.items() if rows}


def figures(p: Panels, members: list[Row]) -> Iterable[Any]:
    """Yield a table for each way in which figures are written: a column never has two units."""
    for unit, rows in _by_unit(members).items():
        ids = any_of([row.id for row in rows])
        judged = [row for row in rows if row.target is not None]
        columns: dict[Said, str] = {
            "": f'max by (indicator, unit) (crm_indicator_info{{indicator=~"{ids}"}})',
            FIGURE: plan.regional(rows),
        }
        labels = {"indicator": INDICATOR, "unit": UNIT}
        if judged:
            columns |= {
                TARGET: f'max by (indicator) (crm_indicator_target{{indicator=~"{ids}"}})',
                MET: f'max by (indicator) (crm_indicator_met{{indicator=~"{ids}"}})',
            }
        if any(row.privacy == "victims" for row in rows):
            columns[HIDDEN] = f'max by (indicator) (crm_suppressed_cells{{indicator=~"{ids}"}})'
        columns[COVERAGE] = f'max by (indicator) (crm_indicator_coverage_ratio{{indicator=~"{ids}"}})'
        what = Text(
            "La cifra de la región (exacta: es para operadores), su meta, si se cumple, qué países informan",
            "The region's figure (exact: this is for operators), its target, whether it is met, who reports",
            "Le chiffre de la région (exact : pour l'exploitation), sa cible, si elle est atteinte, qui rend compte",
        )
        yield p.rows((KINDS[unit], what), columns, labels, _written(p, rows, unit), height=3 + len(rows))


def _written(p: Panels, rows: list[Row], unit: str) -> dict[Said, dict[str, Any]]:
    """Return how the columns of a table of figures are written."""
    said = words(p.lang)
    names = p.texts({row.id: (f"{row.id}  {p.say(row.title)}", None) for row in rows})
    called = {row.unit: (said.units.get(row.unit, row.unit), None) for row in rows}
    return {
        INDICATOR: {"mappings": names, "custom.width": 520},
        UNIT: {"mappings": p.texts(called) if unit == NUMBERS else [], "custom.hidden": unit != NUMBERS},
        FIGURE: {"unit": unit},
        OWN: {"unit": unit},
        TARGET: {"unit": unit},
        MET: {"mappings": p.texts({"1": (YES, GOOD), "0": (NO, POOR)}), "custom.cellOptions": {"type": "color-text"}},
        COVERAGE: {"unit": SHARES},
    }


def own(p: Panels, members: list[Row]) -> Iterable[Any]:
    """Return a table of a country's figures for each unit."""
    for unit, rows in _by_unit(members).items():
        ids = any_of([row.id for row in rows])
        columns: dict[Said, str] = {
            "": f'max by (indicator, unit) (crm_indicator_info{{indicator=~"{ids}"}})',
            OWN: plan.figures(rows, "$country"),
        }
        labels = {"indicator": INDICATOR, "unit": UNIT}
        what = Text("Las cifras del país (exactas)", "The country's figures (exact)", "Les chiffres du pays (exacts)")
        yield p.rows((KINDS[unit], what), columns, labels, _written(p, rows, unit), height=3 + len(rows))
