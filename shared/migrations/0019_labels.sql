-- By what the figures of a thing are told apart, as the report says (shared/count/acts.py); absent: nothing does, or the
-- act is of before it was kept.
alter table tally add column said bytea;
