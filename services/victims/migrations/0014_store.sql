-- In which store of keys all were forgotten up to the position; empty: in the one that there was.
alter table forgotten add column store text not null default '';
