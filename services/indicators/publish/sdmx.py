"""Figures as SDMX-CSV 2.0 (SDMX 3.0), and the data structure that they have, as SDMX-JSON 2.0.

A figure's labels differ from row to row, and SDMX wants the same dimensions for all. So they stand together in one
dimension, BREAKDOWN, which has no code list: `sex=female;age_band=minor`, in the row's order; `_T`: not told apart.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.persons import row_about_persons
from services.indicators.planned.plan import Plan
from services.indicators.publish.index import Named, index
from services.indicators.publish.table import lines

MEDIA = "application/vnd.sdmx.data+csv; version=2.0.0"
STRUCTURE_MEDIA = "application/vnd.sdmx.structure+json; version=2.0.0"
AGENCY, VERSION = "CRM", "1.0.0"
FLOW, STRUCTURE = f"{AGENCY}:FIGURES({VERSION})", f"{AGENCY}:FIGURE({VERSION})"
PREPARED = datetime(2026, 11, 27, tzinfo=UTC)
"""When the structure got its version."""
TOTAL = "_T"
_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/2.0.0/"
    "sdmx-json-structure-schema.json"
)
_STATUS = {
    "A": Text(es="Valor normal", en="Normal value", fr="Valeur normale"),
    "O": Text(es="Sin datos", en="Missing value", fr="Valeur manquante"),
    "Q": Text(es="Valor suprimido", en="Missing value; suppressed", fr="Valeur supprimée"),
}
"""Codes of the cross-domain list of observation statuses (CL_OBS_STATUS 2.2)."""
_CONFIDENCE = {
    "F": Text(es="Publicable", en="Free", fr="Libre"),
    "C": Text(es="Confidencial", en="Confidential statistical information", fr="Information confidentielle"),
    "N": Text(es="Solo para uso interno", en="Not for publication, internal use only", fr="Usage interne uniquement"),
}
"""Codes of the cross-domain list of confidentiality statuses (CL_CONF_STATUS 1.3)."""
_CONCEPTS = {
    "INDICATOR": Text(es="Indicador", en="Indicator", fr="Indicateur"),
    "REF_AREA": Text(es="Área de referencia", en="Reference area", fr="Zone de référence"),
    "BREAKDOWN": Text(es="Desglose", en="Breakdown", fr="Ventilation"),
    "TIME_PERIOD": Text(es="Fecha", en="Time period", fr="Période"),
    "OBS_VALUE": Text(es="Valor", en="Observation value", fr="Valeur d'observation"),
    "UNIT_MEASURE": Text(es="Unidad de medida", en="Unit of measure", fr="Unité de mesure"),
    "OBS_STATUS": Text(es="Estado", en="Observation status", fr="Statut d'observation"),
    "CONF_STATUS": Text(es="Confidencialidad", en="Confidentiality status", fr="Confidentialité"),
    "NUMERATOR": Text(es="Numerador", en="Numerator", fr="Numérateur"),
    "DENOMINATOR": Text(es="Denominador", en="Denominator", fr="Dénominateur"),
}
_DIMENSIONS = {"INDICATOR": "CL_INDICATOR", "REF_AREA": "CL_AREA", "BREAKDOWN": "String"}
_ATTRIBUTES = {
    "UNIT_MEASURE": "CL_UNIT",
    "OBS_STATUS": "CL_OBS_STATUS",
    "CONF_STATUS": "CL_CONF_STATUS",
    "NUMERATOR": "Double",
    "DENOMINATOR": "Long",
}
"""Component -> its code list, or the type of its values."""
_CLASSES = {
    "codelist": "codelist.Codelist",
    "concept": "conceptscheme.Concept",
    "structure": "datastructure.DataStructure",
}


def code(text: str) -> str:
    """Return a row's or unit's name as a code: SDMX has no dots and no spaces in one."""
    return text.replace(".", "_").replace(" ", "_")


def data(found: Sequence[Figures], *, exact: bool) -> str:
    """Return the figures as SDMX-CSV; `exact`: none is guarded, so those about persons are not for publication."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["STRUCTURE", "STRUCTURE_ID", "ACTION", *_DIMENSIONS, "TIME_PERIOD", "OBS_VALUE", *_ATTRIBUTES])
    for one in found:
        writer.writerows(_observation(one, cell, exact=exact) for cell in lines(one))
    return text.getvalue()


def _observation(one: Figures, cell: Cell, *, exact: bool) -> Iterator[Any]:
    inner = exact and row_about_persons(one.row)
    breakdown = ";".join(f"{name}={value}" for name, value in cell.labels.items()) or TOTAL
    # A whole message replaces what was had before for the same key.
    yield from ("dataflow", FLOW, "R", code(one.row.id), cell.country, breakdown, one.day.isoformat(), cell.value)
    yield code(one.row.unit)
    yield "Q" if cell.suppressed else "O" if cell.value is None else "A"
    yield "C" if cell.suppressed else "N" if inner else "F"
    yield from (cell.numerator, cell.denominator)


def structure(plan: Plan) -> dict[str, Any]:
    """Return the structure: concepts, code lists, the data structure definition and the data flow."""
    known = index(plan)
    rows = [Named(code(row.id), row.title) for row in plan.rows.values()]
    units = [Named(code(one.code), one.name) for one in known.units]
    concepts = [{"id": name, **_named(text)} for name, text in _CONCEPTS.items()]
    return {
        "meta": {
            "schema": _SCHEMA,
            "id": "FIGURE",
            "prepared": PREPARED,
            "test": False,
            "contentLanguages": ["en", "es", "fr"],
            "sender": {"id": AGENCY},
        },
        "data": {
            "conceptSchemes": [_artefact("CONCEPTS", plan.title) | {"concepts": concepts}],
            "codelists": [
                _codelist("CL_INDICATOR", "INDICATOR", rows),
                _codelist("CL_AREA", "REF_AREA", known.countries),
                _codelist("CL_UNIT", "UNIT_MEASURE", units),
                _codelist("CL_OBS_STATUS", "OBS_STATUS", _codes(_STATUS)),
                _codelist("CL_CONF_STATUS", "CONF_STATUS", _codes(_CONFIDENCE)),
            ],
            "dataStructures": [_artefact("FIGURE", plan.title) | {"dataStructureComponents": _components()}],
            "dataflows": [_artefact("FIGURES", plan.title) | {"structure": _urn("structure", "FIGURE")}],
        },
    }


def _components() -> dict[str, Any]:
    return {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": [
                _component(name, kind) | {"position": at} for at, (name, kind) in enumerate(_DIMENSIONS.items())
            ],
            "timeDimension": _component("TIME_PERIOD", "GregorianDay"),
        },
        "measureList": {"id": "MeasureDescriptor", "measures": [_component("OBS_VALUE", "Double")]},
        "attributeList": {
            "id": "AttributeDescriptor",
            "attributes": [
                _component(name, kind) | {"attributeRelationship": {"observation": {}}}
                for name, kind in _ATTRIBUTES.items()
            ],
        },
    }


def _component(name: str, kind: str) -> dict[str, Any]:
    values = {"enumeration": _urn("codelist", kind)} if kind.startswith("CL_") else _format(kind)
    return {"id": name, "conceptIdentity": _concept(name), "localRepresentation": values}


def _format(kind: str) -> dict[str, Any]:
    return {"format": {"dataType": kind}}


def _codelist(name: str, concept: str, codes: Iterable[Named]) -> dict[str, Any]:
    return _artefact(name, _CONCEPTS[concept]) | {"codes": [{"id": one.code, **_named(one.name)} for one in codes]}


def _codes(said: Mapping[str, Text]) -> list[Named]:
    return [Named(one, text) for one, text in said.items()]


def _artefact(name: str, text: Text) -> dict[str, Any]:
    return {"id": name, "agencyID": AGENCY, "version": VERSION, **_named(text)}


def _named(title: Text) -> dict[str, Any]:
    return {"name": title.en, "names": {"en": title.en, "es": title.es, "fr": title.fr}}


def _concept(name: str) -> str:
    return f"{_urn('concept', 'CONCEPTS')}.{name}"


def _urn(kind: str, name: str) -> str:
    return f"urn:sdmx:org.sdmx.infomodel.{_CLASSES[kind]}={AGENCY}:{name}({VERSION})"
