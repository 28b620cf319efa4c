-- A repealed law carries out nothing any more, whatever is judged of it later.
alter table law_change add column repealed boolean not null default false;
update law_change as c set repealed = true from log as l where l.id = c.event_id and l.type = 'crm.legal.law.repealed.v1';

-- Resolved cases, and until when their witnesses were seen to, each as reported.
drop table witness_care;
create table witness_care (
    event_id text        not null,
    source   text        not null,
    country  text        not null,
    case_id  text        not null,
    reviewed timestamptz not null,
    primary key (event_id, source)
);
create index witness_care_of on witness_care (country, case_id, reviewed);
create table resolved_case (
    event_id text        not null,
    source   text        not null,
    country  text        not null,
    case_id  text        not null,
    resolved timestamptz not null,
    known    timestamptz not null,
    primary key (event_id, source)
);
create index resolved_case_of on resolved_case (country, case_id, resolved);

-- Entry rules of countries, with the law that each rests on.
create table entry_rule (
    event_id text        not null,
    source   text        not null,
    country  text        not null,
    law_id   text        not null,
    declared timestamptz not null,
    primary key (event_id, source)
);
create index entry_rule_of on entry_rule (country, law_id, declared);

-- What is already recorded is read back from the log, as it now stands.
create temporary table known as
select l.id, l.source, l.country, l.type, w.whole, coalesce(convert_from(a.latest, 'UTF8')::jsonb, w.whole->'data') as data
from log as l
cross join lateral (select convert_from(l.payload, 'UTF8')::jsonb as whole) as w
left join amended as a on a.root = l.position
where l.type in ('crm.legal.witness.reviewed.v1', 'crm.legal.witness.ended.v1', 'crm.legal.case.resolved.v1')
    and not coalesce(a.retracted, false);
insert into witness_care (event_id, source, country, case_id, reviewed)
select id, source, country, data->>'case_id', (whole->>'time')::timestamptz
from known where type <> 'crm.legal.case.resolved.v1';
insert into resolved_case (event_id, source, country, case_id, resolved, known)
select id, source, country, data->>'case_id', (whole->>'time')::timestamptz, (whole->>'recordedtime')::timestamptz
from known where type = 'crm.legal.case.resolved.v1';
drop table known;
