"""What every service stands on: the published language, the log, intake, rules, relay, deadlines, the clock."""
