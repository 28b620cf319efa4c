-- Where reports are found by what they are about (shared/record): a row for each thing that a report names. `stream` is
-- empty for this service's own log, else the stream in which another service's event was heard; `at` is when it happened.
create table about (
    thing    text        not null,
    at       timestamptz not null,
    stream   text        not null,
    position bigint      not null,
    primary key (thing, at, stream, position)
);

-- How far the log is indexed there: an older version that runs beside this one indexes nothing.
create table indexed (
    one      boolean primary key default true check (one),
    position bigint  not null
);

-- Another service's event as it stands, where this service judges by it; empty: it only marks that it was heard; absent:
-- an older version heard it.
alter table heard add column event bytea;

-- What was told about a scope, or is to be told when it falls due (`deadline` of the same key).
create table notified (
    scope     text    not null,
    -- What makes it the same notice.
    key       text    not null,
    event_id  text    not null,
    type      text    not null,
    country   text    not null,
    entity    text    not null,
    scheduled boolean not null,
    primary key (scope, key)
);
create index notified_key on notified (key);

-- Since when this service knows of events that an older version heard; the service's own migrations tell it.
create table known (
    id     text        not null,
    source text        not null,
    at     timestamptz not null,
    primary key (id, source)
);
