"""To whom Alertmanager tells alerts, out of what the operator names; its manual has each of these words."""

from collections.abc import Mapping
from typing import Any

PREFIX = "CRM_ALERTS_"
WEBHOOK, EMAIL, HEARTBEAT = f"{PREFIX}WEBHOOK", f"{PREFIX}EMAIL", f"{PREFIX}HEARTBEAT"
SMARTHOST, FROM, USER, PASSWORD = (f"{PREFIX}SMTP_{name}" for name in ("HOST", "FROM", "USER", "PASSWORD"))
TOGETHER = "10s"
"""How long the first alert waits for others that tell the same."""


class AlertingError(ValueError):
    """What the operator named does not fit together."""


def named(environment: Mapping[str, str]) -> bool:
    """Whether the operator named anything."""
    return any(environment.get(name) for name in (WEBHOOK, EMAIL, HEARTBEAT))


def config(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return Alertmanager's configuration; AlertingError where an e-mail could not be sent.

    A page is told again every hour, a ticket every day. What has severity `none` only tells that alerts come through,
    every five minutes, to whoever calls when that ends.
    """
    page = {
        "receiver": "operators",
        "group_by": ["alertname", "service"],
        "group_wait": TOGETHER,
        "repeat_interval": "1h",
    }
    routes = [
        {"matchers": ['severity="none"'], "receiver": "heartbeat", "group_interval": "1m", "repeat_interval": "5m"},
        {"matchers": ['severity="ticket"'], "receiver": "operators", "repeat_interval": "24h"},
    ]
    return {
        "global": _mail(environment) if environment.get(EMAIL) else {},
        "route": {**page, "routes": routes},
        "receivers": [_operators(environment), {"name": "heartbeat", **_webhook(environment.get(HEARTBEAT))}],
    }


def _operators(environment: Mapping[str, str]) -> dict[str, Any]:
    mailed = [{"to": to.strip(), "send_resolved": True} for to in environment.get(EMAIL, "").split(",") if to.strip()]
    return {"name": "operators", **_webhook(environment.get(WEBHOOK)), **({"email_configs": mailed} if mailed else {})}


def _webhook(address: str | None) -> dict[str, Any]:
    return {"webhook_configs": [{"url": address, "send_resolved": True}]} if address else {}


def _mail(environment: Mapping[str, str]) -> dict[str, Any]:
    missing = [name for name in (SMARTHOST, FROM) if not environment.get(name)]
    if missing:
        raise AlertingError(
            f"{EMAIL} needs {' and '.join(missing)}: the server that takes mail (host:port), the sender"
        )
    user = {"smtp_auth_username": environment.get(USER), "smtp_auth_password": environment.get(PASSWORD, "")}
    sender = {"smtp_smarthost": environment[SMARTHOST], "smtp_from": environment[FROM]}
    return {**sender, **(user if user["smtp_auth_username"] else {})}
