import pytest

from tests.harness.servers import nats_keys, nats_server, postgres_server, region
from tests.harness.stage import stage
from tests.harness.system import system
from tests.system.staging import scene

__all__ = ["nats_keys", "nats_server", "postgres_server", "region", "scene", "stage", "system"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Give all scenes to one worker: the stage is raised once. Before xdist's own hook, which reads the marks."""
    for item in items:
        if "scene" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("stage"))
