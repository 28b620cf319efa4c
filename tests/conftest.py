import re
import signal

from xdist.scheduler import LoadScopeScheduling

from infra.testkit.plugin import crm_servers, crm_settings, crm_system
from tests.harness.ledger import ledger
from tests.harness.servers import nats_keys, nats_server, postgres_server, region
from tests.harness.signing import signing_keys
from tests.harness.stage import stage
from tests.harness.system import system
from tests.system.staging import MANNERS, scene

__all__ = [
    "crm_servers",
    "crm_settings",
    "crm_system",
    "ledger",
    "nats_keys",
    "nats_server",
    "postgres_server",
    "region",
    "scene",
    "signing_keys",
    "stage",
    "system",
]

SCENE = re.compile(rf"\[(.*-)?({'|'.join(MANNERS)})[-\]]")


ONE_REGION = "test_real_inputs.py"
"""Its tests share a running region, too."""


def pytest_configure():
    # A shell without job control has what it starts in the background ignore Ctrl-C, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class OneStage(LoadScopeScheduling):
    """Gives all scenes to one worker, so that the stage is raised once; every other test goes where there is room.

    (xdist's own groups, `--dist loadgroup`, do nothing with pytest 9.2: it no longer takes names that xdist changes.)
    """

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        if SCENE.search(nodeid):
            return "stage"
        return file if file.endswith(ONE_REGION) else nodeid


def pytest_xdist_make_scheduler(config, log):
    return OneStage(config, log)
