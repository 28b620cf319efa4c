-- The quarterly reports as they were published, byte for byte; a later correction makes the next revision.
create table report (
    quarter   text        not null,
    revision  integer     not null check (revision > 0),
    published timestamptz not null,
    figures   bytea       not null check (octet_length(figures) = 32),
    content   bytea       not null,
    primary key (quarter, revision)
);
