-- A return without a referral is told by its case: `referral_id` is then `case/` and the case's identifier.
alter table homecoming add column case_id text;
create index homecoming_case on homecoming (case_id, receiver);

-- Of which crime a person was identified as a victim.
alter table identification add column offence text;
update identification as i set offence = coalesce(convert_from(a.latest, 'UTF8')::jsonb, w.whole->'data')->>'offence'
from log as l
cross join lateral (select convert_from(l.payload, 'UTF8')::jsonb as whole) as w
left join amended as a on a.root = l.position
where l.id = i.event_id and l.source = i.source;
