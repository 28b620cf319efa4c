-- When what a need comes from was first seen: until a border is trained, it counts from there.
alter table need add column detected timestamptz;
