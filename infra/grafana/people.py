"""The dashboards of the Plan: how it stands as a whole, in each area, in each country, and by its milestones."""

from typing import Any

from grafana_foundation_sdk.builders import dashboard

from infra.grafana import milestones, plan, tables
from infra.grafana.boards import Board, Rows, named
from infra.grafana.panels import (
    BAD,
    CLOCK,
    GOOD,
    INSTANT,
    NO,
    POOR,
    SHARES,
    TIMES,
    YES,
    Panels,
    Said,
    coloured,
    same,
)
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Area, Row
from shared.contracts.vocabulary import MEMBERS, REGION

SHARE_POOR, SHARE_GOOD = 0.5, 0.8
"""From which share of the targets on the Plan no longer stands badly, and stands well."""


def boards() -> list[Board]:
    """Return the Plan's dashboards."""
    known = tables.the_plan()
    return [
        _overview(known),
        *(_area(known, area) for area in known.areas if _members(known, area)),
        _country(known),
        milestones.board(known),
    ]


def _overview(known: Plan) -> Board:
    def rows(p: Panels) -> Rows:
        yield Text("Resumen", "Summary", "Résumé"), _summary(p, known)
        yield Text("Áreas", "Areas", "Domaines"), [_areas(p, known)]
        yield Text("Tratados y tiempos", "Treaties and times", "Traités et délais"), [_treaties(p), _latency(p)]
        yield Text("Actividad", "Activity", "Activité"), _activity(p)

    title = Text("Plan de Acción", "Plan of Action", "Plan d'action")
    asks = Text("¿Dónde está el Plan?", "Where does the Plan stand?", "Où en est le Plan ?")
    return Board("plan-of-action", title, asks, "plan", rows, uid="crm-plan")


def _summary(p: Panels, known: Plan) -> list[Any]:
    targets = sum(row.target is not None for row in known.rows.values())
    reached = 'count(crm_milestone_reached_timestamp_seconds{milestone!~".+/.+"})'
    missed = 'sum(crm_events_total{service="indicators",entity="milestone",verb="missed"})'
    heard = f'count(count by (country) (crm_country_last_event_timestamp_seconds{{country!="{REGION}"}}))'
    told: list[tuple[Text, Text, str, dict[str, Any]]] = [
        (
            Text("Cumplimiento del Plan", "The Plan's score", "Score du Plan"),
            Text(
                "XC-4: metas cumplidas, ponderadas", "XC-4: targets met, weighted", "XC-4 : cibles atteintes, pondérées"
            ),
            plan.regional([tables.the_plan().rows["XC-4"]]),
            {"unit": SHARES, "steps": {None: BAD, SHARE_POOR: POOR, SHARE_GOOD: GOOD}},
        ),
        (
            Text("Metas cumplidas", "Targets met", "Cibles atteintes"),
            Text(
                "Indicadores que cumplen su meta", "Indicators that meet their target", "Indicateurs qui l'atteignent"
            ),
            "sum(crm_indicator_met)",
            {"steps": {None: BAD, SHARE_POOR * targets: POOR, SHARE_GOOD * targets: GOOD}},
        ),
        (
            Text("Metas que se saben", "Targets judged", "Cibles jugées"),
            Text(
                "De las que se sabe si se cumplen",
                "It is known whether they are met",
                "On sait si elles sont atteintes",
            ),
            "count(crm_indicator_met)",
            {"steps": {None: POOR, targets: GOOD}},
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
        tables.COVERAGE: f"avg by (area) (crm_indicator_coverage_ratio {of_area})",
    }
    names = p.texts({one.id: (f"{one.id}  {p.say(one.title)}", None) for one in known.areas})
    door = f"/d/{named('crm-area-${__value.raw}', p.lang)}"
    properties: dict[Said, dict[str, Any]] = {
        area: {"mappings": names, "custom.width": 420, "links": [{"title": p.say(area), "url": door}]},
        Text("Proporción", "Share", "Proportion"): {
            "unit": SHARES,
            **coloured({None: BAD, 0.5: POOR, 0.8: GOOD}),
        },
        tables.COVERAGE: {"unit": SHARES},
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
        yield Text("Indicadores", "Indicators", "Indicateurs"), [*tables.figures(p, main)]
        if further:
            yield (
                Text("Cifras complementarias", "Further figures", "Chiffres complémentaires"),
                [*tables.figures(p, further)],
            )
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


def _country(known: Plan) -> Board:
    one = '{country="$country"}'

    def variable(p: Panels) -> Any:
        names = tables.words(p.lang)
        values = ",".join(f"{names.country(code)} : {code}" for code in MEMBERS)
        return dashboard.CustomVariable("country").label(p.say(Text("País", "Country", "Pays"))).values(values)

    def rows(p: Panels) -> Rows:
        last = f"{CLOCK} - on () group_right () max by (service) (crm_country_last_event_timestamp_seconds{one})"
        silent_ = p.texts({"0": (NO, GOOD), "1": (YES, BAD)})
        yield (
            Text("Informes", "Reports", "Rapports"),
            [
                p.figure(
                    same("En silencio", "Silent", "Silencieux"),
                    f"crm_country_silent{one}",
                    mappings=silent_,
                    steps={None: GOOD, 1: BAD},
                ),
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
                    steps={None: GOOD, known.silent_days * 86_400: POOR},  # the country may be heard elsewhere
                ),
                p.lines(
                    same("Eventos por servicio", "Events, by service", "Événements, par service"),
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
            own = [*tables.own(p, [row for row in _members(known, area) if not row.every])]
            if own:
                yield Text(*(f"{area.id}. {getattr(area.title, lang)}" for lang in ("es", "en", "fr"))), own

    title = Text("País", "Country", "Pays")
    asks = Text("¿Cómo está un país?", "How does a country stand?", "Où en est un pays ?")
    return Board("country", title, asks, "plan", rows, variables=[variable])
