-- What all processes of the service that work at the same time have in common (shared/run/common.py), as the last that
-- joined alone said. A log holds plan time or real time, never both.
create table common (
    one    boolean primary key default true check (one),
    time   text    not null check (time in ('plan', 'real')),
    clock  text    not null,
    region text    not null,
    -- Who joined, by the names of their sessions; who has no session any more is gone.
    joined text[]  not null
);
