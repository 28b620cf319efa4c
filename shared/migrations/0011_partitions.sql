-- The log in partitions by position, and what is recorded under which id in a table of its own (docs/decisions.md, 0103).
-- A log of before becomes the first partition as it stands. No reference keeps a partition from leaving: nobody may
-- delete rows of a log.
alter table amended drop constraint amended_root_fkey, drop constraint amended_into_root_fkey;
alter table log rename to log_1;
alter table log_1 rename constraint log_pkey to log_1_pkey;
alter table log_1 rename constraint log_id_source_key to log_1_id_source_key;
alter index log_entity rename to log_1_entity;
alter index log_cause rename to log_1_cause;

-- Each partition has its own primary key: `pg_restore --clean` fails at one that is inherited.
create table log (like log_1 including constraints) partition by range (position);
create index log_entity on log using hash (entity);
create index log_cause on log (
    split_part(encode(substring(payload from position('"causationid":"'::bytea in payload) + 15 for 65), 'escape'), '"', 1)
) where position('"causationid":"'::bytea in payload) > 0;
do $$
begin
    execute format(
        'alter table log attach partition log_1 for values from (1) to (%s)',
        ((select coalesce(max(position), 0) from log_1) / 1000000 + 1) * 1000000 + 1
    );
end
$$;

-- Whatever is recorded, once: a partition alone could not tell. It stays when a partition leaves.
create table recorded (
    id       text   not null,
    source   text   not null,
    position bigint not null,
    primary key (id, source)
);
insert into recorded (id, source, position) select id, source, position from log_1;

-- By the database, so that it holds for whoever inserts, of whatever version.
create function note_recorded() returns trigger language plpgsql set search_path from current as $$
begin
    insert into recorded (id, source, position) select id, source, position from fresh;
    return null;
end
$$;
create trigger note_recorded after insert on log referencing new table as fresh
    for each statement execute function note_recorded();

-- Make partitions until there is one for the position `upto`, each up to the next multiple of `size`. A service may have it done,
-- as it may not alter tables itself.
create function make_partitions(upto bigint, size bigint) returns integer
language plpgsql security definer set search_path from current as $$
declare
    first bigint;
    made  integer := 0;
begin
    if size < 1000 then
        raise 'partitions of less than 1000 rows';
    end if;
    lock table log in share update exclusive mode;
    loop
        select coalesce(max(substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''(\d+)''\)')::bigint), 1) into first
        from pg_inherits as i join pg_class as c on c.oid = i.inhrelid where i.inhparent = 'log'::regclass;
        exit when first > upto;
        execute format('create table log_%s (like log including all, primary key (position))', first);
        execute format(
            'alter table log attach partition log_%s for values from (%s) to (%s)',
            first, first, ((first - 1) / size + 1) * size + 1
        );
        made := made + 1;
    end loop;
    return made;
end
$$;
