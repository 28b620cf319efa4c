"""The dashboards of who operates the system: is anything broken, where, since when."""

from typing import Any

from infra.grafana import servers
from infra.grafana.boards import Board, Rows
from infra.grafana.panels import BAD, GOOD, POOR, Panels, Said, Steps, same
from services.indicators.planned.hierarchy import Text
from shared.run.telemetry import DELAY_S

PROMISED_S, SHARE = 2.0, 0.99
"""What is promised: this share of the events is in the figures within so many seconds of being recorded."""
assert PROMISED_S in DELAY_S
BUDGET = 1 - SHARE
NOTHING = "0 * sum by (service) (crm_ready)"
"""Of each service 0, where there is nothing else to tell."""
SERVICE = "* on (job, instance) group_left (service) (crm_ready * 0 + 1)"
"""Names the service of what a process's own libraries tell of it."""


def boards() -> list[Board]:
    """Return the operators' dashboards."""
    return [_services(), _delay(), _intake(), *servers.boards(), _runtime()]


def late(metric: str, by: str, over: str) -> str:
    """Return the share of what was measured that took longer than promised."""
    whole = f"sum by ({by}) (rate({metric}_count[{over}]))"
    within = f'sum by ({by}) (rate({metric}_bucket{{le="{PROMISED_S:.1f}"}}[{over}]))'
    return f"1 - {within} / ({whole} > 0)"


def _p(metric: str, share: float, by: str) -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket[5m])))"


def _services() -> Board:
    def rows(p: Panels) -> Rows:
        ready = p.texts({"1": (Text("listo", "ready", "prêt"), GOOD), "0": (Text("no", "not ready", "non"), BAD)})
        steps: Steps = {None: BAD, 1: GOOD}
        what = same("Servicios", "Services", "Services")
        yield (
            what[0],
            [
                p.figure(
                    what, "min by (service) (crm_ready)", legend="{{service}}", width=24, mappings=ready, steps=steps
                )
            ],
        )
        yield (
            Text("Señales", "Golden signals", "Signaux"),
            [
                p.lines(
                    same(
                        "Tráfico: eventos registrados por segundo",
                        "Traffic: events recorded a second",
                        "Trafic : événements par seconde",
                    ),
                    {"{{service}}": "sum by (service) (rate(crm_log_position[5m]))"},
                    unit="ops",
                ),
                p.lines(
                    same(
                        "Errores: fallas nuestras por minuto",
                        "Errors: faults of ours a minute",
                        "Erreurs : nos défauts par minute",
                    ),
                    {
                        "{{service}} {{stream}}": "sum by (service, stream)"
                        ' (rate(crm_intake_total{outcome="failed"}[5m])) * 60 > 0'
                        f" or {NOTHING}"
                    },
                ),
                p.lines(
                    same(
                        "Latencia: de la llegada al registro, 99 %",
                        "Latency: arrival to record, 99 %",
                        "Latence : de l'arrivée à l'enregistrement, 99 %",
                    ),
                    {"{{service}}": _p("crm_intake_delay_seconds", 0.99, "service")},
                    unit="s",
                    steps={None: GOOD, PROMISED_S: BAD},
                ),
                p.lines(
                    same(
                        "Saturación: conexiones a PostgreSQL en uso",
                        "Saturation: connections to PostgreSQL in use",
                        "Saturation : connexions à PostgreSQL",
                    ),
                    {
                        "{{service}}": 'sum by (service) (crm_database_connections{state="busy"})'
                        ' / sum by (service) (crm_database_connections{state="max"})'
                    },
                    unit="percentunit",
                    steps={None: GOOD, 0.9: BAD},
                ),
                p.lines(
                    same("Mensajes por tomar", "Messages still to take in", "Messages à prendre"),
                    {"{{service}}": "sum by (service) (crm_durable_pending_messages)"},
                ),
                p.lines(
                    same("Apartados", "Set aside", "Mis de côté"),
                    {"{{service}} {{kind}}": "sum by (service, kind) (crm_aside_events)"},
                ),
            ],
        )

    title = Text("Servicios", "Services", "Services")
    asks = Text("¿Hace cada servicio su trabajo?", "Does each service do its work?", "Chaque service travaille-t-il ?")
    return Board("ops-services", title, asks, "operations", rows)


def _delay() -> Board:
    def rows(p: Panels) -> Rows:
        metric = "crm_figure_delay_seconds"
        burnt = {over: f"({late(metric, 'job', over)}) / {BUDGET:.2f}" for over in ("5m", "1h", "6h")}
        promise = Text(
            f"Lo prometido: {SHARE:.0%} en {PROMISED_S:g} s; un consumo de 1 gasta el margen en 30 días",
            f"Promised: {SHARE:.0%} within {PROMISED_S:g} s; a burn rate of 1 uses up the budget in 30 days",
            f"Promis : {SHARE:.0%} en {PROMISED_S:g} s ; un taux de 1 épuise la marge en 30 jours",
        )
        within = Text("A tiempo, en la última hora", "In time, last hour", "À temps, dernière heure")
        burn = Text("Consumo del margen", "Burn rate", "Consommation de la marge")
        yield (
            Text("Lo prometido", "What is promised", "Ce qui est promis"),
            [
                p.figure(
                    (within, promise),
                    f"1 - ({late(metric, 'job', '1h')})",
                    unit="percentunit",
                    width=6,
                    steps={None: BAD, SHARE: GOOD},
                ),
                p.lines((burn, promise), dict(burnt.items()), width=18, steps={None: GOOD, 1: POOR, 14.4: BAD}),
            ],
        )
        yield (
            Text("Tiempos", "Times", "Délais"),
            [
                *(
                    p.lines(
                        same(
                            f"Del registro a la cifra, {share:.0%}",
                            f"Record to figure, {share:.0%}",
                            f"De l'enregistrement au chiffre, {share:.0%}",
                        ),
                        {"{{stream}}": _p(metric, share, "stream")},
                        unit="s",
                    )
                    for share in (0.5, 0.99)
                ),
                *(
                    p.lines(
                        same(
                            f"De la llegada al registro, {share:.0%}",
                            f"Arrival to record, {share:.0%}",
                            f"De l'arrivée à l'enregistrement, {share:.0%}",
                        ),
                        {"{{service}}": _p("crm_intake_delay_seconds", share, "service")},
                        unit="s",
                    )
                    for share in (0.5, 0.99)
                ),
            ],
        )

    title = Text("Del evento a la cifra", "Event to figure", "De l'événement au chiffre")
    asks = Text(
        "¿Qué tan pronto está un evento en las cifras?",
        "How soon is an event in the figures?",
        "En combien de temps un événement est-il dans les chiffres ?",
    )
    return Board("ops-delay", title, asks, "operations", rows)


def _intake() -> Board:
    def rows(p: Panels) -> Rows:
        sender = 'label_replace({}, "country", "$1", "stream", "INTAKE_(.+)")'
        of = '{stream=~"INTAKE_.+"}'
        full = (
            f"max by (stream) (crm_stream_bytes{of} / crm_stream_bytes_max{of}"
            f" or crm_stream_messages{of} / crm_stream_messages_max{of})"
        )
        refused = 'sum by (country) (rate(crm_events_total{entity="report",verb="rejected"}[5m]))'
        yield (
            Text("Llegada", "Arrival", "Arrivée"),
            [
                p.lines(
                    same("Informes por segundo", "Reports a second", "Rapports par seconde"),
                    {"{{country}}": sender.format(f"sum by (stream) (rate(crm_stream_arrived_total{of}[5m]))")},
                    unit="ops",
                ),
                p.lines(
                    same("Rechazos por segundo", "Refusals a second", "Refus par seconde"),
                    {"{{country}}": refused},
                    unit="ops",
                ),
                p.lines(
                    same("Cuota ocupada", "Quota in use", "Quota utilisé"),
                    {"{{country}}": sender.format(full)},
                    unit="percentunit",
                    steps={None: GOOD, 0.8: BAD},
                ),
                p.lines(
                    same("Informes por tomar", "Reports still to take in", "Rapports à prendre"),
                    {"{{country}}": sender.format(f"sum by (stream) (crm_durable_pending_messages{of})")},
                ),
            ],
        )
        yield (
            Text("Motivos y esperas", "Reasons and waiting", "Motifs et attentes"),
            [
                p.lines(
                    same("Rechazos por motivo", "Refusals by reason", "Refus par motif"),
                    {"{{service}} {{code}}": "sum by (service, code) (crm_rejected_total)"},
                ),
                p.lines(
                    same("Esperan lo que citan", "Waiting for what they refer to", "En attente de ce qu'ils citent"),
                    {
                        "{{service}} {{stream}}": 'sum by (service, stream) (crm_aside_events{kind="waiting"}) or '
                        + NOTHING
                    },
                ),
                p.lines(
                    same("Preguntas, por resultado", "Questions, by outcome", "Questions, par issue"),
                    {"{{service}} {{outcome}}": "sum by (service, outcome) (crm_questions_total) or " + NOTHING},
                ),
                p.lines(
                    same(
                        "Veces que no se escuchó a un país",
                        "How often a country was shut out",
                        "Fois où un pays n'a pas été écouté",
                    ),
                    {
                        "{{country}}": "sum by (country) (crm_shut_out_total)"
                        " or 0 * sum by (country) (crm_country_silent)"
                    },
                ),
            ],
        )

    title = Text("Entrada por país", "Intake by country", "Réception par pays")
    asks = Text(
        "¿Qué llega de cada país, qué se rechaza, qué espera?",
        "What comes from each country, what is refused, what waits?",
        "Qu'arrive-t-il de chaque pays, qu'est-ce qui est refusé, qu'est-ce qui attend ?",
    )
    return Board("ops-intake", title, asks, "operations", rows)


def _runtime() -> Board:
    def of(expr: str) -> dict[Said, str]:
        return {"{{service}} {{instance}}": f"{expr} {SERVICE}"}

    def rows(p: Panels) -> Rows:
        yield (
            Text("Procesos", "Processes", "Processus"),
            [
                p.lines(
                    same("Procesador", "CPU", "Processeur"),
                    of("rate(process_cpu_seconds_total[5m])"),
                    unit="percentunit",
                ),
                p.lines(same("Memoria", "Memory", "Mémoire"), of("process_resident_memory_bytes"), unit="bytes"),
                p.lines(
                    same("Archivos abiertos", "Open files", "Fichiers ouverts"),
                    of("process_open_fds / process_max_fds"),
                    unit="percentunit",
                    steps={None: GOOD, 0.8: BAD},
                ),
                p.lines(
                    same("En marcha desde hace", "Up for", "En marche depuis"),
                    of("(time() - process_start_time_seconds)"),
                    unit="dtdurations",
                ),
            ],
        )
        yield (
            "HTTP",
            [
                p.lines(
                    same("Solicitudes por segundo", "Requests a second", "Requêtes par seconde"),
                    {"{{address}}": "sum by (address) (rate(crm_http_requests_total[5m])) > 0"},
                    unit="reqps",
                ),
                p.lines(
                    same("Errores por segundo", "Errors a second", "Erreurs par seconde"),
                    {"{{status}}": 'sum by (status) (rate(crm_http_requests_total{status=~"4xx|5xx"}[5m]))'},
                    unit="reqps",
                ),
                p.lines(
                    same("Tiempo de respuesta, 99 %", "Time to answer, 99 %", "Temps de réponse, 99 %"),
                    {"{{address}}": f"{_p('crm_http_seconds', 0.99, 'address')} > 0"},
                    unit="s",
                ),
            ],
        )
        ends: dict[Said, Any] = {
            "{{service}}": "crm_certificate_expires_timestamp_seconds - time()",
            "{{service}} {{what}}": "crm_trust_expires_timestamp_seconds - time()",
        }
        yield (
            Text("Cuidado", "Upkeep", "Entretien"),
            [
                p.lines(
                    same("Certificados: terminan en", "Certificates: they end in", "Certificats : ils expirent dans"),
                    ends,
                    unit="dtdurations",
                    steps={None: BAD, 30 * 86400: GOOD},
                ),
                p.lines(
                    same("Verificado y respaldado hace", "Verified and backed up ago", "Vérifié et sauvegardé il y a"),
                    {"{{what}}": "time() - (crm_upkeep_timestamp_seconds > 0)"},
                    unit="dtdurations",
                    steps={None: GOOD, 2 * 86400: BAD},
                ),
            ],
        )

    title = Text("Procesos y HTTP", "Runtime and HTTP", "Processus et HTTP")
    asks = Text(
        "¿Cómo andan los procesos, y qué responden?",
        "How do the processes run, and what do they answer?",
        "Comment tournent les processus, et que répondent-ils ?",
    )
    return Board("ops-runtime", title, asks, "operations", rows)
