"""What only indicators needs to know of its surroundings, and the plan that it works under."""

from functools import cache
from pathlib import Path

from services.indicators.figures import examples
from services.indicators.figures.examples import Example
from services.indicators.planned.plan import FOLDER, Plan, load
from shared.run.settings import Folder, Port, Settings


class IndicatorsSettings(Settings):
    """What only indicators needs to know."""

    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    http_hosts: str = "*"
    """The names under which the board may be asked for, by comma; `*`: any."""
    operator_token: str = ""
    """Whoever shows it sees exact figures; empty: that of the file, or nobody does."""
    operator_token_file: Path | None = None
    plan_folder: Folder = FOLDER
    archive: Path | None = None
    """Where closed months of the logs are, if the streams may be rid of them (`crm archive`)."""
    upkeep: Path | None = None
    """Where `crm verify` and `crm backup seal` note when they were done."""

    @property
    def token(self) -> str:
        """Return the operator's token; empty: there is none. OSError if its file cannot be read."""
        given = self.operator_token or (self.operator_token_file and self.operator_token_file.read_text())
        return (given or "").strip()


@cache
def current() -> Plan:
    """Return the plan that is carried out here; PlanError with all faults if it cannot be used."""
    return load(IndicatorsSettings().plan_folder)


@cache
def worked() -> dict[str, Example]:
    """Return the worked example of each row of that plan; PlanError with all faults if their files cannot be read."""
    return examples.by_row(examples.load(IndicatorsSettings().plan_folder))
