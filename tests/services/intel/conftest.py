import pytest

from services.intel.__main__ import SERVICE
from tests.harness.desk import desk as on_tables


@pytest.fixture
async def desk(postgres_server):
    async with on_tables(postgres_server, SERVICE) as one:
        yield one
