-- What was told of things that several may tell of (shared/once.py), a row for each report.
create table several (
    what     text        not null,
    thing    text        not null,
    act      text        not null,
    at       timestamptz not null,
    position bigint      not null,
    country  text        not null,
    parts    text[]      not null,
    holder   text        not null,
    opens    boolean     not null,
    of       text        not null,
    said     bytea       not null,
    primary key (what, thing, act, at, position)
);
