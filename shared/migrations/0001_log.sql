-- The log: append only, consecutive positions, each row chained to the one before by its hash.
-- The stream of the service is its copy: the message at sequence n is the payload at position n.
create table log (
    position bigint primary key check (position > 0),
    source   text   not null,
    id       text   not null,
    type     text   not null,
    country  text   not null,
    entity   text   not null,
    payload  bytea  not null,
    hash     bytea  not null check (octet_length(hash) = 32),
    unique (id, source)
);

-- What holds now of an event that was corrected or retracted.
create table amended (
    root      bigint primary key references log (position),
    latest    bytea  not null,
    retracted boolean not null default false
);

-- Other services' events that this service's rules have acted on: an event acts once, however often it comes.
create table heard (
    stream   text   not null,
    sequence bigint not null,
    primary key (stream, sequence)
);

-- Events that will happen by themselves at `due` (plan time), unless something takes the row away first.
create table deadline (
    id       text        primary key,
    due      timestamptz not null,
    event    bytea       not null,
    tries    integer     not null default 0,
    -- Real time before which a deadline whose rule failed is not tried again.
    retry_at timestamptz not null default '-infinity'
);
create index deadline_due on deadline (due);
