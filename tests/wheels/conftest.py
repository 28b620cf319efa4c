import pytest

from tests.wheels.building import build

collect_ignore = ["stranger"]
"""It is run where the wheels are installed, and nothing else is."""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dist"))
