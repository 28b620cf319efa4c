-- Who speaks for a body of the region from when on, as assigned since (indicators.seat.assigned); what held before the
-- first line stands in the region's own file. `recorded` and `event_id` settle which of two for one day is the later.
create table seat (
    body     text        not null,
    since    timestamptz not null,
    holder   text        not null,
    recorded timestamptz not null,
    event_id text        not null,
    primary key (body, since)
);
