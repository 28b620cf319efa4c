-- Where what stands in no database is kept (of victims: the keys of what is sealed), by the store's own name; empty: the
-- service keeps nothing elsewhere, or its processes are of before this was told.
alter table common add column store text not null default '';
