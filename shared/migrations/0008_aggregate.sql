-- Figures reported for a period or a day (shared/contracts/aggregates.py): for each country, type, key and period the
-- report under which the figure stands, and the time of the statement that holds. Reports of before have no row.
create table aggregate (
    type    text        not null,
    country text        not null,
    key     text        not null,
    first   date        not null,
    last    date        not null,
    id      text        not null,
    source  text        not null,
    told    timestamptz not null,
    primary key (type, country, key, first),
    unique (id, source)
);

-- A later report for the same period is taken into the one under which the figure stands.
alter table amended add column into_root bigint references log (position);
