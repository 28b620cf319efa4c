-- The fold's state with the stream sequences it has reached: one row, so that both always belong together.
create table snapshot (
    one   boolean     primary key default true check (one),
    state bytea       not null,
    taken timestamptz not null default now()
);
