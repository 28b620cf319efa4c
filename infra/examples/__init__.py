"""A plan's worked examples, played through the services' own judgements on real tables, without NATS."""
