-- What is open stands in the table that all services have now (shared/record). The former tables stay for a version of
-- before that runs until it is stopped. What was told of certificates, and of needs, is read from the log.

-- Since when this service knows of what it heard: steps of certificates count from then.
insert into known (id, source, at)
select event_id, source, known from confirmation where source <> ''
union all
select event_id, source, known from law_change where source <> '';

-- Needs: until they are met under what they come from and under their topic, and then as the last one at the post.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select about.scope, '000/' || n.need_id
    || to_char(n.since at time zone 'UTC', '"/"YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
    || to_char(coalesce(n.detected, n.raised) at time zone 'UTC', '"/"YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
    l.id, l.type, n.country, n.need_id, false
from need as n join log as l on l.entity = n.need_id and l.type = 'crm.training.need.raised.v1'
cross join lateral (values
    (case when n.pattern is null then 'asked/' || n.source || '/' || n.cause
        else 'forgery/' || n.country || '/' || n.bcp || '/' || n.pattern end, true),
    ('needs/' || n.country || '/' || n.topic, n.state <> 'met')) as about (scope, stands)
where n.state <> 'withdrawn' and about.stands;

-- What is still to fall due keeps its name.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select case split_part(d.id, '/', 1) when 'expiry' then 'certificate' || substr(d.id, length('expiry') + 1)
    when 'need' then 'needs/' || (d.event->>'country') || '/' || (d.event->'data'->>'topic') else d.id end,
    d.id, d.event->>'id', d.event->>'type', d.event->>'country', d.event->>'subject', true
from (select id, convert_from(event, 'UTF8')::jsonb as event from deadline
    where split_part(id, '/', 1) in ('expiry', 'need', 'complaint')) as d;
