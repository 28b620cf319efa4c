-- An older amendment never takes the place of a newer one, whichever is recorded, or heard, last.
-- When the intake of its sender stored the amendment that holds (ns since 1970); absent: not known.
alter table amended add column sent bigint;
-- Where in its stream the newest amendment stands that was acted upon; absent: none was since this is told.
alter table heard add column amended bigint;
