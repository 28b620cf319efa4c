"""Write all that the services need of a cluster, as one list that `kubectl apply -f -` takes.

NATS and PostgreSQL are the cluster's own (their operators or charts): their addresses are given here. The keys are
secrets of the same files that compose gives each service (docs/operations.md, Kubernetes).
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.contracts import SERVICES
from shared.flow.streams import INTAKE

OPS_PORT, BOARD_PORT = 8081, 8080
KEYS = "/run/crm"
USER = 10001
REPLICAS, REPLICAS_MAX = 2, 3
BACKLOG = 2_000
"""So many reports that wait are work for one more replica."""
ONE = "indicators"
"""It runs once: what it tells all of would be told twice."""
STATEFUL = "victims"
"""It keeps keys in a file, so it runs where that file is, and once."""
PENDING = "crm_durable_pending_messages"
Thing = dict[str, Any]


@dataclass(frozen=True)
class Given:
    """What differs from one cluster to the next."""

    images: str
    version: str
    nats: str
    monitor: str
    postgres: str
    prometheus: str


def everything(given: Given) -> Thing:
    """Return the list of all."""
    things = [_settings(given), *_network(), _monitor()]
    for service in SERVICES:
        things += _service(service, given)
    return {"apiVersion": "v1", "kind": "List", "items": things}


def scaled(service: str) -> bool:
    """Return whether several of it may run."""
    return service not in {ONE, STATEFUL}


def _meta(name: str, **more: Any) -> Thing:
    return {"name": name, "labels": {"app.kubernetes.io/part-of": "crm", "app.kubernetes.io/name": name}, **more}


def _selected(service: str) -> Thing:
    return {"matchLabels": {"app.kubernetes.io/part-of": "crm", "app.kubernetes.io/name": f"crm-{service}"}}


def _settings(given: Given) -> Thing:
    """Return what all services are told alike."""
    files = {
        "NATS_SEED": "seed.nk", "TLS_CA": "ca.crt", "TLS_CERT": "seed.crt", "TLS_KEY": "seed.tls.key",
        "TLS_CRL": "crl.pem", "RECIPIENTS": "recipients.json", "SEALING_KEY": "sealing.key", "LOG_KEY": "log.key",
        "WITNESSES": "witnesses", "SIGNING_FILE": "signing.toml",
    }  # fmt: skip
    data = {f"CRM_{name}": f"{KEYS}/{file}" for name, file in files.items()} | {
        "CRM_NATS_URL": given.nats,
        "CRM_NATS_MONITOR_URL": given.monitor,
        "CRM_ENVIRONMENT": "production",
        "CRM_LOG_LEVEL": "INFO",
        "CRM_OPS_HOST": "0.0.0.0",  # noqa: S104 - inside a pod
        "CRM_OPS_PORT": str(OPS_PORT),
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta("crm"), "data": data}


def _own(service: str, given: Given) -> list[Thing]:
    """Return the environment of one service alone."""
    tls = f"sslmode=verify-full&ssl_min_protocol_version=TLSv1.3&sslrootcert={KEYS}/ca.crt"
    shown = f"sslcert={KEYS}/seed.crt&sslkey={KEYS}/seed.tls.key"
    own = {"CRM_DATABASE_URL": f"postgresql://{service}@{given.postgres}/crm?passfile={KEYS}/pgpass&{tls}&{shown}"}
    if service == STATEFUL:
        own["CRM_KEYS_FILE"] = "/sealed/keys.sqlite"
    if service == "legal":
        own["CRM_NUMBERS_KEY"] = f"{KEYS}/numbers.key"
    if service == ONE:
        own |= {
            "CRM_HTTP_HOST": "0.0.0.0",  # noqa: S104 - inside a pod
            "CRM_HTTP_PORT": str(BOARD_PORT),
            "CRM_OPERATOR_TOKEN_FILE": f"{KEYS}/operator.token",
        }
    return [{"name": name, "value": value} for name, value in own.items()]


def _service(service: str, given: Given) -> Iterator[Thing]:
    name = f"crm-{service}"
    ports = {"ops": OPS_PORT} | ({"board": BOARD_PORT} if service == ONE else {})
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(name),
        "spec": {
            "selector": _selected(service)["matchLabels"],
            "ports": [{"name": one, "port": port, "targetPort": one} for one, port in ports.items()],
        },
    }
    yield _deployment(service, given, ports)
    if service == STATEFUL:
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": _meta("crm-sealed"),
            "spec": {"accessModes": ["ReadWriteOncePod"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    if scaled(service):
        yield {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": _meta(name),
            "spec": {"minAvailable": 1, "selector": _selected(service)},
        }
        yield _scaling(service, given)


def _deployment(service: str, given: Given, ports: dict[str, int]) -> Thing:
    name = f"crm-{service}"
    volumes: list[Thing] = [
        {"name": "keys", "secret": {"secretName": name, "defaultMode": 0o440}},
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
    ]
    mounts: list[Thing] = [
        {"name": "keys", "mountPath": KEYS, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
    ]
    if service == STATEFUL:
        volumes.append({"name": "sealed", "persistentVolumeClaim": {"claimName": "crm-sealed"}})
        mounts.append({"name": "sealed", "mountPath": "/sealed"})
    container = {
        "name": service,
        "image": f"{given.images}crm-{service}:{given.version}",
        "env": _own(service, given),
        "envFrom": [{"configMapRef": {"name": "crm"}}],
        "ports": [{"name": one, "containerPort": port} for one, port in ports.items()],
        "volumeMounts": mounts,
        "startupProbe": _probe("healthz", 2, 60),
        "livenessProbe": _probe("healthz", 15, 4),
        "readinessProbe": _probe("readyz", 5, 2),
        "resources": {"requests": {"cpu": "100m", "memory": "192Mi"}, "limits": {"cpu": "1", "memory": "384Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # they would set CRM_ variables that no process knows, and none would start
        "terminationGracePeriodSeconds": 15,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": _selected(service),
            }
        ],
        "containers": [container],
        "volumes": volumes,
    }
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    # How many there are the autoscaler says: a number here would be set again with each `apply`.
    number = {} if scaled(service) else {"replicas": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _meta(name),
        "spec": {
            **number,
            "strategy": rolling if scaled(service) else {"type": "Recreate"},
            "selector": _selected(service),
            "template": {"metadata": {"labels": _selected(service)["matchLabels"]}, "spec": pod},
        },
    }


def _probe(what: str, every_s: int, failures: int) -> Thing:
    """Ask as the image does: by TLS, with the certificate of the service itself."""
    command = ["python", "-m", "shared.alive", what]
    return {
        "exec": {"command": command},
        "periodSeconds": every_s,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _scaling(service: str, given: Given) -> Thing:
    """Let one more run for each so many reports that wait, of all countries together."""
    waiting = f'max(sum by (pod) ({PENDING}{{stream=~"{INTAKE}_.+", container="{service}"}}))'
    trigger = {"serverAddress": given.prometheus, "query": waiting, "threshold": str(BACKLOG)}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": _meta(f"crm-{service}"),
        "spec": {
            "scaleTargetRef": {"name": f"crm-{service}"},
            "minReplicaCount": REPLICAS,
            "maxReplicaCount": REPLICAS_MAX,
            "cooldownPeriod": 300,
            "triggers": [{"type": "prometheus", "metadata": trigger}],
        },
    }


def _network() -> Iterator[Thing]:
    """Let nothing in but to the board, and to the numbers for who watches."""
    every = {"matchLabels": {"app.kubernetes.io/part-of": "crm"}}
    watching = {"from": [{"namespaceSelector": {}}], "ports": [{"port": OPS_PORT}]}
    api = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    ours = {"podSelector": every, "policyTypes": ["Ingress"], "ingress": [watching]}
    yield api | {"metadata": _meta("crm"), "spec": ours}
    board = {"podSelector": _selected(ONE), "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": BOARD_PORT}]}]}
    yield api | {"metadata": _meta("crm-board"), "spec": board}


def _monitor() -> Thing:
    """Have Prometheus's operator scrape each pod, by TLS, with the region's authority and its own certificate."""
    secret = {"name": "crm-prometheus"}
    tls = {
        "serverName": "crm-service",
        "ca": {"secret": {**secret, "key": "ca.crt"}},
        "cert": {"secret": {**secret, "key": "prometheus.crt"}},
        "keySecret": {**secret, "key": "prometheus.tls.key"},
    }
    endpoint = {"port": "ops", "scheme": "https", "interval": "15s", "tlsConfig": tls}
    every = {"matchLabels": {"app.kubernetes.io/part-of": "crm"}}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": _meta("crm"),
        "spec": {"selector": every, "podMetricsEndpoints": [endpoint]},
    }


def main() -> None:
    """Write what the command line asks for."""
    asked = argparse.ArgumentParser(prog="python -m infra.kubernetes", description=__doc__)
    asked.add_argument("--images", default="", help="What stands before the images' names: registry.example/")
    asked.add_argument("--version", default="0.1.0", help="The images' version.")
    asked.add_argument("--nats", default="tls://nats:4222")
    asked.add_argument("--monitor", default="https://nats:8222")
    asked.add_argument("--postgres", default="postgres:5432", help="Where the writable PostgreSQL is.")
    asked.add_argument("--prometheus", default="http://prometheus-operated:9090", help="Whom the autoscaler asks.")
    json.dump(everything(Given(**vars(asked.parse_args()))), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
