-- Versions that can record side by side are a generation. The first process of a newer one takes over
-- (shared/record/upgrading.py); from then on none of an older one records here, hears, or answers. Its connection ends,
-- as if the server had gone: so what it has taken comes again, to a process of the newer generation.
create table generation (
    number integer     primary key,
    since  timestamptz not null default now()
);
-- Where a version with judgements has recorded, it has taken over.
insert into generation (number) select 1 from indexed;

-- The service's processes say of which generation they are; those before the first one do not.
create function only_newest() returns trigger language plpgsql set search_path from current as $$
begin
    if session_user = tg_table_schema
        and coalesce(nullif(current_setting('crm.generation', true), ''), '0')::integer
            < (select max(number) from generation)
    then
        perform pg_terminate_backend(pg_backend_pid());
    end if;
    return null;
end
$$;
create trigger only_newest before insert on log for each statement execute function only_newest();
create trigger only_newest before insert on heard for each statement execute function only_newest();
create trigger only_newest before insert on audit for each statement execute function only_newest();

-- What a version before judgements heard of other services, and of which it kept nothing, as it stands in their logs: the
-- message at sequence n is the row at position n. Only who takes over may read it, and nobody after that.
create function heard_before() returns table (stream text, sequence bigint, payload bytea)
language plpgsql security definer set search_path from current as $$
declare
    other text;
begin
    if exists (select from generation) then
        return;
    end if;
    for other in select distinct h.stream from heard as h where h.event is null loop
        return query execute format(
            'select h.stream, h.sequence, l.payload from heard as h join %I.log as l on l.position = h.sequence'
            ' where h.stream = $1 and h.event is null order by h.sequence',
            lower(other)
        ) using other;
    end loop;
end
$$;
