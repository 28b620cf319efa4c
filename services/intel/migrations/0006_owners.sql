-- What is counted of requests (shared/tally.py) belongs to who asked, of information received and of what it was good
-- for to the two countries: until now two countries' equal identifiers were one.
create temporary table counted as
select t.what, t.thing, t.at, t.position, l.country, l.type,
    coalesce(convert_from(a.latest, 'UTF8')::jsonb, convert_from(l.payload, 'UTF8')::jsonb->'data') as data
from tally as t join log as l on l.position = t.position left join amended as a on a.root = t.position
where t.what in ('request', 'information', 'feedback');
update tally as t set thing = case
    when c.what = 'request' then '|' || case when c.type = 'crm.intel.information.requested.v1' then c.country
        else c.data->>'to' end || ':' || (c.data->>'exchange_id')
    when c.what = 'information' then c.country || '|' || (c.data->>'from') || '|' || (c.data->>'exchange_id')
    else c.country || '|' || (c.data->>'to') || '|' || (c.data->>'exchange_id') end
from counted as c
where t.what = c.what and t.thing = c.thing and t.at = c.at and t.position = c.position;
drop table counted;
