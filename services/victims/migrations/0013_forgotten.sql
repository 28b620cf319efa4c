-- Up to which position of the log the keys of withdrawn consents were forgotten. Nothing that was recorded before was
-- sealed.
create table forgotten (
    one      boolean primary key default true check (one),
    position bigint  not null
);
insert into forgotten (position) select coalesce(max(position), 0) from log;
