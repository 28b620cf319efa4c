-- Who was assisted in a year is counted by the log's own tally (shared/tally.py) since migration 0003 of shared.
drop table assistance;
