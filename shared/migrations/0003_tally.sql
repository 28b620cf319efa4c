-- The acts that open and close what is counted exactly (shared/tally.py), a row for each report that is one.
create table tally (
    what     text        not null,
    thing    text        not null,
    at       timestamptz not null,
    position bigint      not null,
    opens    boolean     not null,
    primary key (what, thing, at, position)
);
