from tests.harness.servers import nats_keys, nats_server, postgres_server, region
from tests.harness.system import system

__all__ = ["nats_keys", "nats_server", "postgres_server", "region", "system"]
