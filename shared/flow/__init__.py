"""The way of an event through NATS: a country's intake in batches, refusals, what is set aside, the relay."""
