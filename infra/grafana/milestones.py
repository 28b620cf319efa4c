"""The dashboard of the milestones: which are reached, which are due, and who is missing."""

from typing import Any

from infra.grafana.boards import Board, Rows
from infra.grafana.panels import BAD, CLOCK, GOOD, INSTANT, NO, POOR, TIMES, YES, Panels, Said, coloured, same
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import Plan


def done(p: Panels, known: Plan) -> Any:
    """Return the table of one country's milestones."""
    milestone = Text("Hito", "Milestone", "Jalon")
    missing = Text("Le falta", "Still to do", "Reste à faire")
    columns: dict[Said, str] = {
        missing: 'max by (milestone) (crm_milestone_missing{country="$country",milestone!~".+/.+"})'
    }
    properties: dict[Said, dict[str, Any]] = {
        milestone: {"mappings": _names(p, known), "custom.width": 620},
        missing: {
            "mappings": p.texts({"1": (YES, BAD), "0": (NO, GOOD)}),
            "custom.cellOptions": {"type": "color-text"},
        },
    }
    what = Text(
        "Qué hitos le faltan al país", "Which milestones the country has still to do", "Quels jalons restent au pays"
    )
    return p.rows((what, what), columns, {"milestone": milestone}, properties, height=10)


def _names(p: Panels, known: Plan) -> Any:
    single = [one for one in known.milestones.values() if one.recurring is None]
    return p.texts({one.id: (f"{one.id}  {p.say(one.title)}", None) for one in single})


def board(known: Plan) -> Board:
    """Return the dashboard."""
    once = '{milestone!~".+/.+"}'
    due, reached = (f"crm_milestone_{word}_timestamp_seconds{once}" for word in ("due", "reached"))
    milestone = Text("Hito", "Milestone", "Jalon")
    left = Text("Faltan", "Time left", "Temps restant")
    columns: dict[Said, str] = {
        Text("Vence", "Due", "Échéance"): f"max by (milestone) ({due}) * 1000",
        left: f"(max by (milestone) ({due}) unless max by (milestone) ({reached})) - on () group_left () {CLOCK}",
        Text("Alcanzado", "Reached", "Atteint"): f"max by (milestone) ({reached}) * 1000",
        Text("Atraso", "Late by", "Retard"): f"clamp_min(max by (milestone) ({reached} - {due}), 0)",
        Text("Hechos", "Done", "Faits"): "max by (milestone) (crm_milestone_done)",
        Text("De", "Of", "Sur"): "max by (milestone) (crm_milestone_needed)",
    }

    def rows(p: Panels) -> Rows:
        properties: dict[Said, dict[str, Any]] = {
            milestone: {"mappings": _names(p, known), "custom.width": 520},
            Text("Vence", "Due", "Échéance"): {"unit": INSTANT},
            Text("Alcanzado", "Reached", "Atteint"): {"unit": INSTANT},
            Text("Atraso", "Late by", "Retard"): {"unit": TIMES, **coloured({None: GOOD, 1: BAD})},
            left: {"unit": TIMES, **coloured({None: BAD, 0: POOR, 30 * 86400: GOOD})},
        }
        what = Text(
            "Vencimiento, alcance, atraso y cuántos países de cuántos; el tiempo es el del Plan",
            "Due, reached, how late, how many countries of how many; by the Plan's clock",
            "Échéance, atteinte, retard, combien de pays sur combien ; selon l'horloge du Plan",
        )
        single = Text("Hitos del Plan", "The Plan's milestones", "Jalons du Plan")
        yield single, [p.rows((single, what), columns, {"milestone": milestone}, properties, height=14)]
        missing = 'sum by (country) (crm_milestone_missing{milestone!~".+/.+"})'
        recurring = 'count(crm_milestone_due_timestamp_seconds{milestone=~".+/.+"})'
        kept = 'count(crm_milestone_reached_timestamp_seconds{milestone=~".+/.+"})'
        yield (
            Text("Países y recurrentes", "Countries and recurring ones", "Pays et récurrents"),
            [
                p.lines(
                    same("Hitos que le faltan a cada país", "Milestones left, by country", "Jalons restants, par pays"),
                    {"{{country}}": missing},
                    step=True,
                ),
                p.lines(
                    same("Hitos recurrentes", "Recurring milestones", "Jalons récurrents"),
                    {Text("previstos", "due", "prévus"): recurring, Text("cumplidos", "reached", "atteints"): kept},
                    step=True,
                ),
            ],
        )

    title = Text("Hitos", "Milestones", "Jalons")
    asks = Text(
        "¿Qué vence, y quién falta?", "What is due, and who is missing?", "Qu'est-ce qui échoit, et qui manque ?"
    )
    return Board("milestones", title, asks, "plan", rows)
