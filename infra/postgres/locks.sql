-- Who may take an advisory lock by hand: nobody but the owner. Such locks belong to the whole database, so any role could
-- hold another's. Each service takes its own through functions of its own schema (shared/migrations/0014_turns.sql).
-- Run by `crm provision` when no process of a version is connected that takes its locks by hand.
do $$
declare
    taking regprocedure;
begin
    for taking in
        select oid from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace and proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
    loop
        execute format('revoke execute on function %s from public', taking);
    end loop;
end
$$;
