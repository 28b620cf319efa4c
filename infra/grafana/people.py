"""The dashboards of the Plan: how it stands as a whole, in each area, in each country, and by its milestones."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from grafana_foundation_sdk.builders import dashboard

from infra.grafana import milestones, plan
from infra.grafana.boards import Board, Rows, named
from infra.grafana.panels import (
    BAD,
    CLOCK,
    GOOD,
    INSTANT,
    NO,
    NUMBERS,
    POOR,
    SHARES,
    TIMES,
    YES,
    Panels,
    Said,
    any_of,
    coloured,
    same,
)
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import Plan, load
from services.indicators.planned.rows import Area, Row
from services.indicators.publish.words import Words
from shared.contracts.vocabulary import MEMBERS, REGION

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
def _words(lang: str) -> Words:
    return Words(lang, the_plan())


def boards() -> list[Board]:
    """Return the Plan's dashboards."""
    known = the_plan()
    return [
        _overview(known),
        *(_area(known, area) for area in known.areas if _members(known, area)),
        _country(known),
        milestones.board(known),
    ]


def _overview(known: Plan) -> Board:
    def rows(p: Panels) -> Rows:
        yield Text("Resumen", "Summary", "Résumé"), _summary(p)
        yield Text("Áreas", "Areas", "Domaines"), [_areas(p, known)]
        yield Text("Tratados y tiempos", "Treaties and times", "Traités et délais"), [_treaties(p), _latency(p)]
        yield Text("Actividad", "Activity", "Activité"), _activity(p)

    title = Text("Plan de Acción", "Plan of Action", "Plan d'action")
    asks = Text("¿Dónde está el Plan?", "Where does the Plan stand?", "Où en est le Plan ?")
    return Board("plan-of-action", title, asks, "plan", rows, uid="crm-plan")


def _summary(p: Panels) -> list[Any]:
    reached = 'count(crm_milestone_reached_timestamp_seconds{milestone!~".+/.+"})'
    missed = 'sum(crm_events_total{service="indicators",entity="milestone",verb="missed"})'
    heard = f'count(count by (country) (crm_country_last_event_timestamp_seconds{{country!="{REGION}"}}))'
    told: list[tuple[Text, Text, str, dict[str, Any]]] = [
        (
            Text("Cumplimiento del Plan", "The Plan's score", "Score du Plan"),
            Text(
                "XC-4: metas cumplidas, ponderadas", "XC-4: targets met, weighted", "XC-4 : cibles atteintes, pondérées"
            ),
            plan.regional([the_plan().rows["XC-4"]]),
            {"unit": SHARES, "steps": {None: BAD, 0.5: POOR, 0.8: GOOD}},
        ),
        (
            Text("Metas cumplidas", "Targets met", "Cibles atteintes"),
            Text(
                "Indicadores que cumplen su meta", "Indicators that meet their target", "Indicateurs qui l'atteignent"
            ),
            "sum(crm_indicator_met)",
            {},
        ),
        (
            Text("Metas que se saben", "Targets judged", "Cibles jugées"),
            Text(
                "De las que se sabe si se cumplen",
                "It is known whether they are met",
                "On sait si elles sont atteintes",
            ),
            "count(crm_indicator_met)",
            {},
        ),
        (
            Text("Países que informan", "Countries that report", "Pays qui rendent compte"),
            Text("Han informado alguna vez", "They have reported at all", "Ils ont rendu compte au moins une fois"),
            heard,
            {"steps": {None: POOR, len(MEMBERS): GOOD}},
        ),
        (
            Text("Países en silencio", "Silent countries", "Pays silencieux"),
            Text(
                "Más días que los del Plan", "For longer than the Plan allows", "Plus longtemps que le Plan ne permet"
            ),
            "sum(crm_country_silent)",
            {"steps": {None: GOOD, 1: BAD}},
        ),
        (
            Text("Hitos alcanzados", "Milestones reached", "Jalons atteints"),
            Text("Sin los recurrentes", "Recurring ones left out", "Sans les récurrents"),
            reached,
            {},
        ),
        (
            Text("Hitos vencidos", "Milestones missed", "Jalons manqués"),
            Text("Anunciados; con los recurrentes", "As announced, recurring ones too", "Annoncés, récurrents compris"),
            missed,
            {"steps": {None: GOOD, 1: BAD}},
        ),
        (
            Text("Reloj del Plan", "The Plan's clock", "Horloge du Plan"),
            Text("El presente de los servicios", "The present of the services", "Le présent des services"),
            f"{CLOCK} * 1000",
            {"unit": INSTANT},
        ),
    ]
    return [p.figure((title, what), expr, **{"width": 3, **how}) for title, what, expr, how in told]


def _areas(p: Panels, known: Plan) -> Any:
    of_area = "* on (indicator) group_left (area) crm_indicator_info"
    met, judged = f"sum by (area) (crm_indicator_met {of_area})", f"count by (area) (crm_indicator_met {of_area})"
    area = Text("Área", "Area", "Domaine")
    columns: dict[Said, str] = {
        Text("Indicadores", "Indicators", "Indicateurs"): "count by (area) (crm_indicator_info)",
        Text("Cumplidas", "Met", "Atteintes"): met,
        Text("Se saben", "Judged", "Jugées"): judged,
        Text("Proporción", "Share", "Proportion"): f"{met} / {judged}",
        COVERAGE: f"avg by (area) (crm_indicator_coverage_ratio {of_area})",
    }
    names = p.texts({one.id: (f"{one.id}  {p.say(one.title)}", None) for one in known.areas})
    door = f"/d/{named('crm-area-${__value.raw}', p.lang)}"
    properties: dict[Said, dict[str, Any]] = {
        area: {"mappings": names, "custom.width": 420, "links": [{"title": p.say(area), "url": door}]},
        Text("Proporción", "Share", "Proportion"): {
            "unit": SHARES,
            **coloured({None: BAD, 0.5: POOR, 0.8: GOOD}),
        },
        COVERAGE: {"unit": SHARES},
    }
    what = Text("Metas cumplidas por área", "Targets met, by area", "Cibles atteintes, par domaine")
    return p.rows((what, what), columns, {"area": area}, properties, height=10)


def _treaties(p: Panels) -> Any:
    title = Text("Países parte de los tratados", "Parties to the treaties", "États parties aux traités")
    what = Text(
        "Miembros que ratificaron o se adhirieron: UNTOC y sus protocolos de trata (TIP) y de tráfico (SOM)",
        "Members that ratified or acceded: UNTOC, its protocols on trafficking (TIP) and smuggling (SOM)",
        "Membres qui ont ratifié ou adhéré : UNTOC, ses protocoles sur la traite (TIP) et le trafic (SOM)",
    )
    return p.lines((title, what), {"{{instrument}}": "crm_treaty_parties"}, step=True)


def _latency(p: Panels) -> Any:
    bucket = 'sum by (le) (crm_indicator_seconds_bucket{indicator="VA-5.1b"})'
    title = Text(
        "Respuesta a remisiones de víctimas", "Answers to referrals of victims", "Réponse aux orientations de victimes"
    )
    what = Text(
        "Cuánto esperaron su respuesta (VA-5.1b)",
        "How long they waited for an answer (VA-5.1b)",
        "Combien de temps elles ont attendu (VA-5.1b)",
    )
    queries: dict[Said, str] = {
        Text("mediana", "median", "médiane"): f"histogram_quantile(0.5, {bucket})",
        "90 %": f"histogram_quantile(0.9, {bucket})",
    }
    return p.lines((title, what), queries, unit="s")


def _activity(p: Panels) -> list[Any]:
    detections: dict[Said, tuple[str, str, str]] = {
        Text("traficantes detectados", "traffickers detected", "trafiquants détectés"): (
            "intel",
            "trafficker",
            "detected",
        ),
        Text("documentos señalados", "documents flagged", "documents signalés"): ("intel", "document", "flagged"),
        Text("documentos confirmados", "documents confirmed", "documents confirmés"): (
            "intel",
            "document",
            "confirmed",
        ),
        Text("personas detenidas", "people detained", "personnes détenues"): ("legal", "person", "detained"),
    }
    referrals: dict[Said, tuple[str, str, str]] = {
        word: ("victims", "referral", verb)
        for word, verb in {
            Text("enviadas", "sent", "envoyées"): "sent",
            Text("aceptadas", "accepted", "acceptées"): "accepted",
            Text("rechazadas", "rejected", "refusées"): "rejected",
            Text("vencidas", "overdue", "en retard"): "overdue",
        }.items()
    }
    so_far = Text("Registradas hasta ahora", "Recorded so far", "Enregistrées jusqu'ici")
    return [
        p.lines((Text("Detecciones", "Detections", "Détections"), so_far), _counts(detections)),
        p.lines(
            (Text("Remisiones de víctimas", "Referrals of victims", "Orientations de victimes"), so_far),
            _counts(referrals),
        ),
    ]


def _counts(named_: dict[Said, tuple[str, str, str]]) -> dict[Said, str]:
    return {
        word: f'sum(crm_events_total{{service="{service}",entity="{entity}",verb="{verb}"}})'
        for word, (service, entity, verb) in named_.items()
    }


def _members(known: Plan, area: Area) -> list[Row]:
    return [row for row in known.rows.values() if row.id.startswith(f"{area.id}-")]


def _area(known: Plan, area: Area) -> Board:
    members = _members(known, area)
    main, further = [row for row in members if not row.belongs], [row for row in members if row.belongs]

    def rows(p: Panels) -> Rows:
        yield Text("Indicadores", "Indicators", "Indicateurs"), [*_tables(p, main)]
        if further:
            yield Text("Cifras complementarias", "Further figures", "Chiffres complémentaires"), [*_tables(p, further)]
        if shares := [row for row in main if row.unit == "ratio"]:
            title = Text("Proporciones en el tiempo", "Shares over time", "Proportions dans le temps")
            curves = p.lines((title, title), {"{{indicator}}": plan.regional(shares)}, unit=SHARES, width=24)
            yield Text("Tendencia", "Trend", "Tendance"), [curves]

    asks = Text(
        f"¿Qué metas de esta área se cumplen? {area.title.es}",
        f"Which targets of this area are met? {area.title.en}",
        f"Quelles cibles de ce domaine sont atteintes ? {area.title.fr}",
    )
    title = Text(*(f"{area.id}. {getattr(area.title, lang)}" for lang in ("es", "en", "fr")))
    return Board(f"area-{area.id.lower()}", title, asks, "plan", rows, uid=f"crm-area-{area.id}")


def _by_unit(members: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {unit: [] for unit in KINDS}
    for row in members:
        found[UNITS.get(row.unit, NUMBERS)].append(row)
    return {unit: rows for unit, rows in found.items() if rows}


def _tables(p: Panels, members: list[Row]) -> Iterable[Any]:
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
    words = _words(p.lang)
    names = p.texts({row.id: (f"{row.id}  {p.say(row.title)}", None) for row in rows})
    called = {row.unit: (words.units.get(row.unit, row.unit), None) for row in rows}
    return {
        INDICATOR: {"mappings": names, "custom.width": 520},
        UNIT: {"mappings": p.texts(called) if unit == NUMBERS else [], "custom.hidden": unit != NUMBERS},
        FIGURE: {"unit": unit},
        OWN: {"unit": unit},
        TARGET: {"unit": unit},
        MET: {"mappings": p.texts({"1": (YES, GOOD), "0": (NO, POOR)}), "custom.cellOptions": {"type": "color-text"}},
        COVERAGE: {"unit": SHARES},
    }


def _country(known: Plan) -> Board:
    one = '{country="$country"}'

    def variable(p: Panels) -> Any:
        names = _words(p.lang)
        values = ",".join(f"{names.country(code)} : {code}" for code in MEMBERS)
        return dashboard.CustomVariable("country").label(p.say(Text("País", "Country", "Pays"))).values(values)

    def rows(p: Panels) -> Rows:
        last = f"{CLOCK} - on () group_right () max by (service) (crm_country_last_event_timestamp_seconds{one})"
        silent_ = p.texts({"0": (NO, GOOD), "1": (YES, BAD)})
        yield (
            Text("Informes", "Reports", "Rapports"),
            [
                p.figure(same("En silencio", "Silent", "Silencieux"), f"crm_country_silent{one}", mappings=silent_),
                p.figure(
                    same("Sin leer en el buzón", "Unread in the mailbox", "Non lus dans la boîte"),
                    f"crm_mailbox_unread_messages{one}",
                    steps={None: GOOD, 100: POOR, 1000: BAD},
                ),
                p.figure(
                    same("Último informe hace", "Last report ago", "Dernier rapport il y a"),
                    last,
                    unit=TIMES,
                    legend="{{service}}",
                    width=16,
                ),
                p.lines(
                    same("Sucesos por servicio", "Events, by service", "Événements, par service"),
                    {"{{service}}": f"sum by (service) (crm_events_total{one})"},
                ),
                p.lines(
                    same("Rechazos por motivo", "Refusals, by reason", "Refus, par motif"),
                    {"{{service}} {{code}}": f"sum by (service, code) (crm_rejected_total{one})"},
                ),
                p.lines(
                    same(
                        "Retraso de los informes, mediana",
                        "How late reports are, median",
                        "Retard des rapports, médiane",
                    ),
                    {
                        "{{service}}": "histogram_quantile(0.5, sum by (le, service)"
                        ' (crm_report_delay_seconds_bucket{country="$country"}))'
                    },
                    unit="s",
                ),
                p.lines(
                    same("Leyes por adecuar, por tratado", "Gaps in law, by treaty", "Lacunes de la loi, par traité"),
                    {"{{instrument}}": f"crm_legal_gaps{one}"},
                    step=True,
                ),
            ],
        )
        yield Text("Hitos", "Milestones", "Jalons"), [milestones.done(p, known)]
        for area in known.areas:
            tables = [*_own(p, [row for row in _members(known, area) if not row.every])]
            if tables:
                yield Text(*(f"{area.id}. {getattr(area.title, lang)}" for lang in ("es", "en", "fr"))), tables

    title = Text("País", "Country", "Pays")
    asks = Text("¿Cómo está un país?", "How does a country stand?", "Où en est un pays ?")
    return Board("country", title, asks, "plan", rows, variables=[variable])


def _own(p: Panels, members: list[Row]) -> Iterable[Any]:
    for unit, rows in _by_unit(members).items():
        ids = any_of([row.id for row in rows])
        columns: dict[Said, str] = {
            "": f'max by (indicator, unit) (crm_indicator_info{{indicator=~"{ids}"}})',
            OWN: plan.figures(rows, "$country"),
        }
        labels = {"indicator": INDICATOR, "unit": UNIT}
        what = Text("Las cifras del país (exactas)", "The country's figures (exact)", "Les chiffres du pays (exacts)")
        yield p.rows((KINDS[unit], what), columns, labels, _written(p, rows, unit), height=3 + len(rows))
