-- What was told, and what falls due by itself, stands in the table that all services have now (shared/record). The former
-- tables stay for a version of before that runs until it is stopped.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select t.source || '/' || t.about, concat_ws('/', a.kind, t.country, t.entity, t.source, t.about), t.event_id, t.type,
    t.country, t.entity, false
from told as t
join log as l on l.id = t.event_id and l.source = 'urn:crm:service:victims'
cross join lateral (select convert_from(l.payload, 'UTF8')::jsonb->'data'->>'kind' as kind) as a;

-- Steps of a referral's ladder are about the referral, a missing enrolment about the way home (whose identifier may have
-- a slash), an evaluation about its case, a holder's word that it has erased about the consent.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select
    case split_part(d.id, '/', 1)
        when 'answer' then regexp_replace(d.id, '^answer/([^:]+):([^/]+).*$', 'referral/\1/\2')
        when 'enrolment' then regexp_replace(d.id, '^enrolment/([^:]+):', 'home/\1/')
        when 'erasure' then regexp_replace(d.id, '/[^/]+$', '')
        else d.id
    end,
    d.id, e.whole->>'id', e.whole->>'type', e.whole->>'country', coalesce(e.whole->>'subject', ''), true
from deadline as d
cross join lateral (select convert_from(d.event, 'UTF8')::jsonb as whole) as e
where d.id ~ '^(answer|enrolment|evaluation|erasure)/';

-- An open referral is offered again by its own report: the sealed copies go at once, with the keys of all persons. (A
-- version of before that still runs offers nothing again meanwhile.)
update referral set offer = null, subject = null;
delete from subject_key;
