-- Who may do what in PostgreSQL: all of it, on one page. Run by the owner at every `crm provision`, for each
-- service in place of {service}. The owner (crm) owns every table, so no service can change a table's shape,
-- switch off a check, or give a right away.

-- Nobody has anything by being there.
revoke all on database {database} from public;
revoke all on schema public from public;
grant connect on database {database} to {service}, operator, upkeep;

-- A service sees its own schema and no other.
revoke all on schema {service} from public;
grant usage on schema {service} to {service};
alter role {service} in database {database} set search_path = {service};

-- It works on its own tables ...
grant select, insert, update, delete on all tables in schema {service} to {service};
grant usage, select on all sequences in schema {service} to {service};

-- ... but what is recorded stays as recorded, who asked what stays known, and which migrations ran is for it to read.
revoke update, delete on {service}.log, {service}.recorded, {service}.audit from {service};
revoke update, delete on {service}.generation from {service};
revoke update, delete on {service}.tree from {service};
grant update (one) on {service}.tree to {service};  -- to lock the row, and no more
revoke delete on {service}.tile from {service};
revoke update on {service}.checkpoint from {service};
revoke insert, update, delete on {service}.migration, {service}.archived from {service};

-- The log is reached as a whole only. Its owner makes its partitions, also when the service asks for them.
do $$
declare
    partition regclass;
begin
    for partition in select inhrelid from pg_inherits where inhparent = '{service}.log'::regclass loop
        execute format('revoke all on %s from {service}', partition);
    end loop;
end
$$;
alter function {service}.make_partitions set search_path = {service}, pg_temp;
alter function {service}.heard_before set search_path = {service}, pg_temp;
revoke all on all functions in schema {service} from public;
grant execute on all functions in schema {service} to {service};

-- An operator reads everything and changes nothing.
grant usage on schema {service} to operator;
grant select on all tables in schema {service} to operator;
-- What it reads stands in the server's log, and it cannot turn that off. (The log of a service has no statement.)
alter role operator set log_statement = 'all';

-- What verifies and backs up reads everything as well, also what is made later, since half a backup is none.
grant usage on schema {service} to upkeep;
grant select on all tables in schema {service} to upkeep;
grant select on all sequences in schema {service} to upkeep;
alter default privileges in schema {service} grant select on tables to upkeep;
alter default privileges in schema {service} grant select on sequences to upkeep;
alter role upkeep set log_statement = 'all';
