"""The Plan as data: its rows, milestones and objectives, read from TOML and checked."""
