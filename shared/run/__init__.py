"""What every process stands on: settings, clock, database, telemetry, health over HTTP. It knows nothing of events."""
