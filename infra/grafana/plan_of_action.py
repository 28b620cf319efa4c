"""The dashboard "Plan of Action": the indicators by area, treaties, milestones, activity, and how the system does."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from infra.grafana import plan
from infra.grafana.panels import VARIABLE, figure, lines, rows, texts
from services.indicators.planned.plan import Plan, load
from services.indicators.planned.rows import Area, Row
from services.indicators.planned.schedule import Milestone

YES_NO = texts({"1": ("sí", "green"), "0": ("no", "orange")})
REGION = "Región"
INSTANT = "dateTimeAsIso"


def text() -> str:
    """Return the dashboard's JSON as it is committed."""
    built = _built()
    _number(built.panels)
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _built() -> Any:
    board = dashboard.Dashboard("Plan de Acción").uid("crm-plan").tags(["crm"]).readonly()
    board.description("The Regional Conference on Migration's Plan of Action: what it asks for, and where it stands.")
    board.time("now-6h", "now").refresh("30s").timezone("utc")
    source = dashboard.DatasourceVariable(VARIABLE).type("prometheus").label("Fuente de datos")
    board.with_variable(source)
    for title, panels in _rows(load()):
        board.with_row(dashboard.Row(title))
        for panel in panels:
            board.with_panel(panel)
    return board.build()


def _number(panels: list[Any]) -> None:
    """Give every panel an id: the SDK leaves it out, and Grafana would then treat all as one."""
    for number, panel in enumerate(panels, 1):
        panel.id_val = number


def _rows(known: Plan) -> Iterator[tuple[str, list[Any]]]:
    yield "Resumen", _summary()
    for area in known.areas:
        members = [row for row in known.rows.values() if row.id.startswith(f"{area.id}-")]
        rows_of_the_plan = [row for row in members if not row.belongs]
        further = [row for row in members if row.belongs]
        if members:
            panels = [_area(area, rows_of_the_plan, ("Indicadores", "Indicators"))]
            panels += [_area(area, further, ("Cifras complementarias", "Further figures"))] if further else []
            yield f"{area.id}. {area.title.es}", panels
    yield "Tratados e hitos", [_treaties(), _latency(), _milestones(known.milestones.values())]
    yield "Actividad", _activity()
    yield "Operación", _operation()


def _summary() -> list[Any]:
    reached = 'count(crm_milestone_reached_timestamp_seconds{milestone!~".+/.+"})'
    missed = 'sum(crm_events_total{service="indicators",entity="milestone",verb="missed"})'
    return [
        figure(("Metas cumplidas", "Indicators that meet their target"), "sum(crm_indicator_met)"),
        figure(("Metas que se saben", "Targets of which it is known whether they are met"), "count(crm_indicator_met)"),
        figure(("Países que informan", "Countries that have reported at all"), _countries_heard()),
        figure(("Sucesos registrados", "Events recorded by the five services"), "sum(crm_events_total)"),
        figure(("Hitos alcanzados", "Milestones reached, recurring ones left out"), reached),
        figure(("Hitos vencidos", "Milestones announced as missed, recurring ones included"), missed),
    ]


def _countries_heard() -> str:
    return 'count(count by (country) (crm_country_last_event_timestamp_seconds{country!="REG"}))'


def _area(area: Area, members: list[Row], called: tuple[str, str]) -> Any:
    ids = "|".join(row.id.replace(".", "[.]") for row in members)
    columns = {
        REGION: plan.regional(members),
        "Meta": f'crm_indicator_target{{indicator=~"{ids}"}}',
        "Cumplida": f'crm_indicator_met{{indicator=~"{ids}"}}',
        "Países que informan": f'crm_indicator_coverage_ratio{{indicator=~"{ids}"}}',
        "Celdas no publicables": f'crm_suppressed_cells{{indicator=~"{ids}"}}',
    }
    kept = {title: f"max by (indicator) ({expr})" for title, expr in list(columns.items())[1:]}
    names = texts({row.id: (f"{row.id}  {row.title.es}", None) for row in members})
    properties: dict[str, dict[str, Any]] = {
        "Indicador": {"mappings": names, "custom.width": 520},
        "Cumplida": {"mappings": YES_NO, "custom.cellOptions": {"type": "color-text"}},
        "Países que informan": {"unit": "percentunit"},
    }
    english = (
        f"{called[1]}, {area.title.en}: the region's figure of each (exact: this is for operators), its target,"
        " whether it is met, the share of countries reporting, and how many cells are too small to be published"
    )
    titles = (f"{called[0]}: {area.title.es}", english)
    return rows(titles, {REGION: columns[REGION], **kept}, "indicator", properties, height=3 + len(members))


def _treaties() -> Any:
    english = (
        "Member countries that ratified or acceded: UNTOC, and its protocols on trafficking (TIP) and smuggling (SOM)"
    )
    return lines(("Países parte de los tratados", english), {"{{instrument}}": "crm_treaty_parties"}, step=True)


def _latency() -> Any:
    bucket = 'sum by (le) (crm_indicator_seconds_bucket{indicator="VA-5.1b"})'
    titles = ("Tiempo de respuesta a entregas de víctimas", "How long referrals of victims waited for an answer")
    queries = {"mediana": f"histogram_quantile(0.5, {bucket})", "90 %": f"histogram_quantile(0.9, {bucket})"}
    return lines(titles, queries, unit="s")


def _milestones(known: Iterable[Milestone]) -> Any:
    single = [one for one in known if one.recurring is None]
    once = '{milestone!~".+/.+"}'
    due, reached = (f"crm_milestone_{word}_timestamp_seconds{once}" for word in ("due", "reached"))
    columns = {
        "Vence": f"max by (milestone) ({due}) * 1000",
        "Alcanzado": f"max by (milestone) ({reached}) * 1000",
        "Atraso": f"clamp_min(max by (milestone) ({reached} - {due}), 0)",
        "Hechos": "max by (milestone) (crm_milestone_done)",
        "De": "max by (milestone) (crm_milestone_needed)",
    }
    names = texts({one.id: (f"{one.id}  {one.title.es}", None) for one in single})
    properties: dict[str, dict[str, Any]] = {
        "Hito": {"mappings": names, "custom.width": 520},
        "Vence": {"unit": INSTANT},
        "Alcanzado": {"unit": INSTANT},
        "Atraso": {"unit": "dtdurations"},
    }
    english = "The Plan's milestones: due, reached, how late, how many countries of how many (once only)"
    return rows(("Hitos del Plan", english), columns, "milestone", properties, height=12)


def _activity() -> list[Any]:
    detections = {
        "traficantes detectados": 'sum(crm_events_total{service="intel",entity="trafficker",verb="detected"})',
        "documentos señalados": 'sum(crm_events_total{service="intel",entity="document",verb="flagged"})',
        "documentos confirmados": 'sum(crm_events_total{service="intel",entity="document",verb="confirmed"})',
        "personas detenidas": 'sum(crm_events_total{service="legal",entity="person",verb="detained"})',
    }
    verbs = {"enviadas": "sent", "aceptadas": "accepted", "rechazadas": "rejected", "vencidas": "overdue"}
    referrals = {
        word: f'sum(crm_events_total{{service="victims",entity="referral",verb="{verb}"}})'
        for word, verb in verbs.items()
    }
    return [
        lines(("Detecciones", "Traffickers, documents and detentions recorded so far"), detections),
        lines(("Remisiones de víctimas", "Referrals of victims: sent, accepted, rejected, overdue"), referrals),
    ]


def _operation() -> list[Any]:
    last = 'time() - max by (country) (crm_country_last_event_timestamp_seconds{country!="REG"})'
    batch = "histogram_quantile(0.99, sum by (le, service) (rate(crm_intake_batch_seconds_bucket[5m])))"
    relay = "max by (service) (crm_log_position) - max by (service) (crm_relay_position)"
    rejected = "sum by (service, code) (rate(crm_rejected_total[5m]))"
    return [
        figure(("Servicios listos", "1: the service does its work"), _ready(), legend="{{service}}", width=24),
        lines(("Sucesos por segundo", "Events recorded a second"), {"{{service}}": _events_rate()}, unit="ops"),
        lines(("Rechazos por segundo", "Reports refused, by reason"), {"{{service}} {{code}}": rejected}, unit="ops"),
        lines(("Indicadores atrasados", "Events in the streams that are not folded yet"), {"{{stream}}": _fold_lag()}),
        lines(("Copia atrasada", "Rows of the log that are not in the stream yet"), {"{{service}}": relay}),
        lines(("Toma de mensajes, 99 %", "From a batch's arrival to its commit"), {"{{service}}": batch}, unit="s"),
        lines(("Silencio de los países", "Time since each country's last report"), {"{{country}}": last}, unit="s"),
    ]


def _ready() -> str:
    return "max by (service) (crm_ready)"


def _events_rate() -> str:
    return "sum by (service) (rate(crm_events_total[1m]))"


def _fold_lag() -> str:
    return "clamp_min(max by (stream) (crm_stream_sequence) - max by (stream) (crm_fold_sequence), 0)"
