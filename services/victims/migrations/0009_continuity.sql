-- Since when victims are known as such, and the services that they were given, each as reported.
create table identification (
    event_id   text        not null,
    source     text        not null,
    country    text        not null,
    victim_pid text        not null,
    identified timestamptz not null,
    primary key (event_id, source)
);
create index identification_of on identification (country, victim_pid, identified);
create table service (
    event_id   text not null,
    source     text not null,
    country    text not null,
    victim_pid text not null,
    service    text not null,
    -- Not there: the report is only of the end.
    began      timestamptz,
    ended      timestamptz,
    primary key (event_id, source)
);
create index service_of on service (country, victim_pid);

-- What is already recorded is read back from the log, as it now stands.
create temporary table known as
select l.id, l.source, l.country, l.type, w.whole, coalesce(convert_from(a.latest, 'UTF8')::jsonb, w.whole->'data') as data
from log as l
cross join lateral (select convert_from(l.payload, 'UTF8')::jsonb as whole) as w
left join amended as a on a.root = l.position
where l.type in (
    'crm.victims.victim.identified.v1', 'crm.victims.service.provided.v1', 'crm.victims.service.ended.v1'
) and not coalesce(a.retracted, false);
insert into identification (event_id, source, country, victim_pid, identified)
select id, source, country, data->>'victim_pid', (whole->>'time')::timestamptz
from known where type = 'crm.victims.victim.identified.v1' and data->>'status' <> 'NotAVictimOfTrafficking';
insert into service (event_id, source, country, victim_pid, service, began, ended)
select id, source, country, data->>'victim_pid', data->>'service',
    case when type = 'crm.victims.service.provided.v1'
        then coalesce((data->>'started')::timestamptz, (whole->>'time')::timestamptz) end,
    (data->>'ended')::timestamptz
from known where type <> 'crm.victims.victim.identified.v1';
drop table known;
