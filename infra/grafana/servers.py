"""The dashboards of what lies between services and below them: lags, mailboxes, PostgreSQL, NATS."""

from infra.grafana.boards import Board, Rows
from infra.grafana.panels import BAD, GOOD, POOR, Panels, same
from services.indicators.planned.hierarchy import Text


def boards() -> list[Board]:
    """Return them."""
    return [_lag(), _mail(), _postgres(), _nats()]


def _lag() -> Board:
    def rows(p: Panels) -> Rows:
        yield (
            Text("Copia y cuenta", "Relay and fold", "Copie et compte"),
            [
                p.lines(
                    same("Filas por copiar al flujo", "Rows not yet in the stream", "Lignes à copier dans le flux"),
                    {"{{service}}": "max by (service) (crm_log_position) - max by (service) (crm_relay_position)"},
                    steps={None: GOOD, 1000: BAD},
                ),
                p.lines(
                    same("Eventos por contar", "Events not yet in the figures", "Événements à compter"),
                    {
                        "{{stream}}": "clamp_min(max by (stream) (crm_stream_sequence)"
                        " - max by (stream) (crm_fold_sequence), 0)"
                    },
                    steps={None: GOOD, 1000: BAD},
                ),
                p.lines(
                    same("Sin contar", "Not counted", "Non comptés"),
                    {"{{stream}}": "max by (stream) (crm_fold_aside_events)"},
                    steps={None: GOOD, 1: BAD},
                ),
                p.lines(
                    same(
                        "Por tomar de otros servicios",
                        "Still to hear from other services",
                        "À entendre des autres services",
                    ),
                    {"{{service}} {{stream}}": 'crm_durable_pending_messages{stream!~"INTAKE.*"}'},
                ),
            ],
        )
        yield (
            Text("Plazos", "Deadlines", "Échéances"),
            [
                p.lines(
                    same("Plazos abiertos", "Open deadlines", "Échéances ouvertes"),
                    {"{{service}}": "max by (service) (crm_deadlines)"},
                ),
                p.lines(
                    same(
                        "El primero está vencido desde hace",
                        "The first has been due for",
                        "La première est échue depuis",
                    ),
                    {"{{service}}": "max by (service) (crm_deadline_late_seconds)"},
                    unit="s",
                    steps={None: GOOD, 60: BAD},
                ),
                p.lines(
                    same(
                        "Relojes: diferencia con el más adelantado",
                        "Clocks: behind the foremost",
                        "Horloges : écart avec la plus avancée",
                    ),
                    {
                        "{{service}}": "scalar(max(crm_clock_timestamp_seconds))"
                        " - max by (service) (crm_clock_timestamp_seconds)"
                    },
                    unit="s",
                ),
                p.figure(
                    same("Flujos alterados", "Streams meddled with", "Flux altérés"),
                    "max(crm_meddled_streams)",
                    width=12,
                    steps={None: GOOD, 1: BAD},
                ),
            ],
        )

    title = Text("Atrasos y plazos", "Lags and deadlines", "Retards et échéances")
    asks = Text("¿Se queda algo atrás?", "Does anything fall behind?", "Quelque chose prend-il du retard ?")
    return Board("ops-lag", title, asks, "operations", rows)


def _mail() -> Board:
    def rows(p: Panels) -> Rows:
        box = '{stream="QUARANTINE"}'
        yield (
            Text("QUARANTINE", "QUARANTINE", "QUARANTINE"),
            [
                p.figure(
                    same("Rechazados que se guardan", "Refused and kept", "Refusés et gardés"),
                    f"crm_stream_messages{box}",
                    width=8,
                ),
                p.figure(same("Ocupan", "They take", "Ils occupent"), f"crm_stream_bytes{box}", unit="bytes", width=8),
                p.figure(
                    same("De lo permitido", "Of what is allowed", "De ce qui est permis"),
                    f"crm_stream_bytes{box} / crm_stream_bytes_max{box}",
                    unit="percentunit",
                    width=8,
                    steps={None: GOOD, 0.8: BAD},
                ),
                p.lines(
                    same("Llegan por segundo", "Arriving a second", "Arrivent par seconde"),
                    {"QUARANTINE": f"rate(crm_stream_arrived_total{box}[5m])"},
                    unit="ops",
                ),
                p.lines(
                    same("Por motivo", "By reason", "Par motif"),
                    {"{{country}} {{code}}": "topk(20, sum by (country, code) (crm_rejected_total))"},
                ),
            ],
        )
        yield (
            Text("Buzones", "Mailboxes", "Boîtes"),
            [
                p.lines(same("Sin leer", "Unread", "Non lus"), {"{{country}}": "crm_mailbox_unread_messages"}),
                p.lines(
                    same("Leídos por segundo", "Read a second", "Lus par seconde"),
                    {"{{country}}": "rate(crm_mailbox_read_total[5m])"},
                    unit="ops",
                ),
            ],
        )

    title = Text("Rechazados y buzones", "Refused reports and mailboxes", "Refusés et boîtes")
    asks = Text(
        "¿Qué se rechazó, y quién no lee?",
        "What was refused, and who does not read?",
        "Qu'est-ce qui a été refusé, et qui ne lit pas ?",
    )
    return Board("ops-mail", title, asks, "operations", rows)


def _postgres() -> Board:
    def rows(p: Panels) -> Rows:
        state = Text("{{state}}", "{{state}}", "{{state}}")
        yield (
            "PostgreSQL",
            [
                p.lines(same("Tamaño", "Size", "Taille"), {"crm": "crm_postgres_bytes"}, unit="bytes"),
                p.lines(
                    same("Crecimiento por día", "Growth a day", "Croissance par jour"),
                    {"crm": "clamp_min(deriv(crm_postgres_bytes[1h]), 0) * 86400"},
                    unit="bytes",
                ),
                p.lines(
                    same("Sesiones", "Sessions", "Sessions"),
                    {
                        Text("abiertas", "open", "ouvertes"): "crm_postgres_connections",
                        Text("a lo sumo", "at most", "au plus"): "crm_postgres_connections_max",
                    },
                ),
                p.lines(
                    same("Esperas por bloqueos", "Waiting for locks", "Attentes de verrous"),
                    {"PostgreSQL": "crm_postgres_locks_waiting"},
                    steps={None: GOOD, 1: POOR},
                ),
                p.lines(
                    same("Servidores de reserva", "Standby servers", "Serveurs de secours"),
                    {"PostgreSQL": "crm_postgres_standbys"},
                ),
                p.lines(
                    same("Conexiones de los servicios", "Connections of the services", "Connexions des services"),
                    {f"{{{{service}}}} {state.en}": 'sum by (service, state) (crm_database_connections{state!="max"})'},
                ),
                p.lines(
                    same("Registro: filas por segundo", "Logs: rows a second", "Journaux : lignes par seconde"),
                    {"{{service}}": "sum by (service) (rate(crm_log_position[5m]))"},
                    unit="ops",
                ),
            ],
        )

    title = Text("PostgreSQL", "PostgreSQL", "PostgreSQL")
    asks = Text("¿Está bien la base de datos?", "Is the database well?", "La base de données va-t-elle bien ?")
    return Board("ops-postgres", title, asks, "operations", rows)


def _nats() -> Board:
    def rows(p: Panels) -> Rows:
        yield (
            "NATS",
            [
                p.figure(
                    same("Disco de JetStream", "JetStream's disk", "Disque de JetStream"),
                    "crm_nats_storage_bytes / crm_nats_storage_max_bytes",
                    unit="percentunit",
                    width=6,
                    steps={None: GOOD, 0.8: POOR, 0.95: BAD},
                ),
                p.figure(same("Conexiones", "Connections", "Connexions"), "crm_nats_connections", width=6),
                p.figure(same("Memoria", "Memory", "Mémoire"), "crm_nats_memory_bytes", unit="bytes", width=6),
                p.figure(
                    same("Cortadas por lentas", "Cut off as slow", "Coupées car lentes"),
                    "crm_nats_slow_consumers_total",
                    width=6,
                    steps={None: GOOD, 1: POOR},
                ),
                p.lines(
                    same("Copias que faltan", "Copies missing", "Copies manquantes"),
                    {"{{stream}}": "crm_stream_replicas - crm_stream_replicas_current"},
                    steps={None: GOOD, 1: BAD},
                ),
                p.lines(
                    same("Bytes por flujo", "Bytes by stream", "Octets par flux"),
                    {"{{stream}}": "crm_stream_bytes > 0"},
                    unit="bytes",
                ),
                p.lines(
                    same("Mensajes por flujo", "Messages by stream", "Messages par flux"),
                    {"{{stream}}": "crm_stream_messages > 0"},
                ),
                p.lines(
                    same("Solicitudes a JetStream", "Requests to JetStream", "Requêtes à JetStream"),
                    {
                        Text("todas", "all", "toutes"): "rate(crm_nats_api_requests_total[5m])",
                        Text("con error", "errors", "en erreur"): "rate(crm_nats_api_errors_total[5m])",
                    },
                    unit="ops",
                ),
                p.lines(
                    same("Consumidores: por entregar", "Consumers: pending", "Consommateurs : en attente"),
                    {"{{service}} {{stream}}": "crm_durable_pending_messages > 0 or 0 * max by (service) (crm_ready)"},
                ),
            ],
        )

    title = Text("NATS", "NATS", "NATS")
    asks = Text("¿Está bien NATS?", "Is NATS well?", "NATS va-t-il bien ?")
    return Board("ops-nats", title, asks, "operations", rows)
