-- What was told of gaps and of what laws carry out, of reviews and proceedings, stands in the table that all services
-- have now (shared/record). The former tables stay for a version of before that runs until it is stopped.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select 'laws/' || g.country || '/' || g.instrument,
    'gap/' || g.country || '/' || g.instrument || '/' || lpad(g.article, greatest(4, length(g.article)), '0'),
    coalesce((
        select l.id from log as l
        where l.entity = g.instrument || '.' || g.article and l.country = g.country
            and l.type = 'crm.legal.gap.opened.v1'
        order by l.position desc limit 1
    ), ''),
    'crm.legal.gap.opened.v1', g.country, g.instrument || '.' || g.article, false
from gap as g;

-- Steps that mappings alone counted have no event of their own.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select 'laws/' || country || '/' || instrument,
    'transposed/' || country || '/' || instrument || '/' || article || '/'
    || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
    || case when date_trunc('second', at) = at then '' else to_char(at at time zone 'UTC', '.US') end || '+00:00/'
    || by || '/' || row_number() over (partition by country, instrument, article, at, by) - 1,
    '', 'crm.legal.transposition.changed.v1', 'REG', instrument || '.' || article, false
from transposition;

-- Each resolved case asked for a review, unless it was known by then that there was one.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select 'witness_review/' || r.country || '/' || r.case_id,
    'witness_review/' || r.country || '/' || r.case_id || '/'
    || case (coalesce(convert_from(a.latest, 'UTF8')::jsonb, convert_from(l.payload, 'UTF8')::jsonb->'data')
        ->>'witness_care_documented')::boolean when true then 'review' else 'document_care' end
    || '/' || r.source || '/' || r.event_id,
    coalesce((
        select o.id from log as o
        where o.entity = r.case_id and o.country = r.country and o.type = 'crm.legal.witness.review_opened.v1'
        order by o.position desc limit 1
    ), ''),
    'crm.legal.witness.review_opened.v1', r.country, r.case_id, false
from resolved_case as r
join log as l on l.id = r.event_id and l.source = r.source
left join amended as a on a.root = l.position;

-- Those that are waited for keep their names.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select d.id, d.id, e.event->>'id', e.event->>'type', e.event->>'country', e.event->>'subject', true
from deadline as d
cross join lateral (select convert_from(d.event, 'UTF8')::jsonb as event) as e
where d.id like 'witness\_review/%';

-- Proceedings that are suggested still.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select 'complaint/' || country || '/' || entity, 'proceeding_suggested/' || country || '/' || entity,
    id, type, country, entity, false
from (
    select distinct on (l.country, l.entity) l.country, l.entity, l.id, l.type, k.kind from log as l
    cross join lateral (select convert_from(l.payload, 'UTF8')::jsonb->'data'->>'kind' as kind) as k
    where l.type = 'crm.legal.alert.issued.v1' and k.kind in ('proceeding_suggested', 'proceeding_not_suggested')
    order by l.country, l.entity, l.position desc
) as last
where kind = 'proceeding_suggested';

-- Of a witness's reports that are older than the count of witnesses nobody is counted (see 0004).
insert into about (thing, at, stream, position)
select 'uncounted/' || w.country || '/' || w.case_id, w.reviewed, '', l.position
from witness_care as w
join log as l on l.id = w.event_id and l.source = w.source
where w.witness_pid is null;
