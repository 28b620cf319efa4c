"""NATS as this system needs it: rights, server configuration, streams and durables, all from the registry."""
