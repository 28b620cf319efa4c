-- What is set aside: a report that waits for what it refers to, or a message that met a fault of ours. In its stream it
-- is acknowledged; here it stands until it is recorded, refused or acted on, and is tried again meanwhile.
create table aside (
    stream   text        not null,
    sequence bigint      not null,
    -- When the stream stored it (ns since 1970): a stream of reports made anew gives its sequences again.
    stored   bigint      not null default 0,
    -- Whose report it is; of another service's event, whose mailbox it belongs to (REG: nobody's).
    country  text        not null,
    kind     text        not null check (kind in ('waiting', 'failed')),
    -- What it waits for (a pointer into the report), or the name of the exception. Never a value.
    reason   text        not null,
    -- The id that it waits for: what is recorded under it, or about it, has it tried again at once.
    wants    text,
    subject  text        not null default '',
    -- The message's headers as a JSON object.
    headers  bytea       not null default '{}',
    -- Empty where it is read again from a stream that is kept for ever.
    payload  bytea       not null default '',
    -- The digest of what a country said (as in log): a report sent again while it stands here is the same.
    said     bytea,
    -- All in real time. Refused if it still waits at `until`; infinity: it waits for us, or failed, and is never refused.
    since    timestamptz not null default now(),
    until    timestamptz not null default 'infinity',
    tries    integer     not null default 1,
    retry_at timestamptz not null default now(),
    primary key (stream, sequence, stored)
);
create index aside_due on aside (country, retry_at);
create index aside_said on aside (said) where said is not null;
create index aside_wants on aside (wants) where wants is not null;
