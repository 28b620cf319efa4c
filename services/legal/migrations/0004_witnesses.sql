-- Whose protection a report is about, and what it did. Of reports recorded before, nobody is counted: the events that
-- tell the figures what changes did not do so then.
alter table witness_care
    add column witness_pid text,
    add column act         text not null default 'reviewed' check (act in ('protected', 'reviewed', 'ended'));
alter table witness_care alter column act drop default;

-- Proceedings opened and closed, each as reported.
create table proceeding (
    event_id text        not null,
    source   text        not null,
    country  text        not null,
    case_id  text        not null,
    at       timestamptz not null,
    opens    boolean     not null,
    primary key (event_id, source)
);
create index proceeding_of on proceeding (country, case_id);

-- What is already recorded is read back from the log, as it now stands.
insert into proceeding (event_id, source, country, case_id, at, opens)
select l.id, l.source, l.country, coalesce(convert_from(a.latest, 'UTF8')::jsonb, w.whole->'data')->>'case_id',
    (w.whole->>'time')::timestamptz, l.type = 'crm.legal.proceeding.opened.v1'
from log as l
cross join lateral (select convert_from(l.payload, 'UTF8')::jsonb as whole) as w
left join amended as a on a.root = l.position
where l.type in ('crm.legal.proceeding.opened.v1', 'crm.legal.proceeding.closed.v1')
    and not coalesce(a.retracted, false);
