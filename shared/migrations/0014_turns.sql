-- Advisory locks belong to the whole database: with the right to take one, any role could hold another's and stop it.
-- So a service takes its own through these functions, of its own schema. The keys are those of the versions before, so
-- that both exclude each other. Nobody may take one by hand once no older version is connected (`crm provision`).

-- Wait until no other transaction of this service judges and appends.
create function take_turn() returns void language sql volatile security definer set search_path from current as $$
    select pg_advisory_xact_lock(hashtext(current_schema()), 1)
$$;

-- Try to be the one session that holds a role in this service (shared/run/database.py names them).
create function try_lead(role integer) returns boolean
language sql volatile security definer set search_path from current as $$
    select pg_try_advisory_lock(hashtext(current_schema()), role)
$$;
