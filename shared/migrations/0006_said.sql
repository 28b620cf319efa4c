-- What the sender of a report said, all of it, as a SHA-256: so that a repeated id is told from the same report sent
-- again, whatever the service filled in. Reports of before have none.
alter table log add column said bytea check (octet_length(said) = 32);
