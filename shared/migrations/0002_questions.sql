-- Who asked what when, and whether there was an answer; written before the answer is given. What the question was
-- about is here only as a keyed hash (the key is the service's), for whoever has to show that it was asked or was not.
create table audit (
    number   bigint      generated always as identity primary key,
    asked    timestamptz not null,
    country  text        not null,
    question text        not null,
    outcome  text        not null,
    about    bytea       not null check (octet_length(about) = 32)
);

-- What an event set off, for `crm trace`: few reports name a cause, and only rows that do are here.
create index log_cause on log (
    split_part(encode(substring(payload from position('"causationid":"'::bytea in payload) + 15 for 65), 'escape'), '"', 1)
) where position('"causationid":"'::bytea in payload) > 0;
