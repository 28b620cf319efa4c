-- How much there is of a thing by an act (shared/tally.py); absent: one if it opens, none if it closes.
alter table tally add column level bigint;
