-- When a commitment was kept: one that was kept in time was never overdue, also where that is told late.
alter table commitment_act add column kept timestamptz;
update commitment_act as a
set kept = (convert_from(l.payload, 'UTF8')::jsonb ->> 'time')::timestamptz
from log as l
where l.id = a.event_id and l.source = a.source;
