"""A plan's worked examples, played through the services' own rules on real tables, without NATS."""
