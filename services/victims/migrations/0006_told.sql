-- Which countries were told of the cases, laws and procedures that the service heard of, by which event: an amendment
-- takes back what no longer holds.
create table told (
    about    text not null,
    source   text not null,
    country  text not null,
    entity   text not null,
    event_id text not null unique,
    type     text not null,
    primary key (about, source, country, entity)
);
