-- Identifiers that turned out to name the same: reports under `entity` are about `into_entity`. `field` is the field
-- of the reports in which such identifiers stand (victim_pid).
create table merged (
    country     text not null,
    field       text not null,
    entity      text not null,
    into_entity text not null,
    primary key (country, field, entity)
);

-- The reports about an entity, for merges and for whoever looks something up.
create index log_entity on log using hash (entity);
