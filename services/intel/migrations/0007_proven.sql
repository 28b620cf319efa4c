-- The place (whole identifier) that a victim's report names as the reason for finding the victim; or the event is the reason.
alter table identification add column place_ref text;
alter table identification alter column causationid drop not null;
create index identification_place on identification (place_ref) where place_ref is not null;
