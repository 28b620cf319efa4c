"""`python -m infra.cli` is `crm`."""

from infra.cli import app

app(prog_name="crm")
