from tests.harness.servers import nats_keys, nats_server, postgres_server, region

__all__ = ["nats_keys", "nats_server", "postgres_server", "region"]
