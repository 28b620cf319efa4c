-- What of the log is archived (shared/record/archive.py), a row for each file. Written by `crm archive`, when it has read
-- the file back; a service reads here how much of its stream may be gone.
create table archived (
    first    bigint      primary key,
    last     bigint      not null check (last >= first),
    month    text        not null,
    previous bytea       not null check (octet_length(previous) = 32),
    head     bytea       not null check (octet_length(head) = 32),
    sha256   bytea       not null check (octet_length(sha256) = 32),
    -- Real times: when it was written, and since when stream and log may do without these rows.
    written  timestamptz not null default now(),
    purged   timestamptz,
    detached timestamptz
);
