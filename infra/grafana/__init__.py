"""The Grafana dashboards as code: `python -m infra.grafana` writes them, `--check` tells whether they are current."""
