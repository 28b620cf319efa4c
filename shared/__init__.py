"""What every service stands on: the published language, the log, judgements, intake, relay, deadlines, the clock."""
