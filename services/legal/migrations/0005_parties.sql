-- The parties of each treaty, and since when: a date says nothing of the order of one day's acts, but acts make sense
-- only by turns, so who became party more often than it withdrew is one.
create or replace view party as
select country, instrument, max(day) filter (where act in ('ratified', 'acceded')) as since
from treaty_act
group by country, instrument
having count(*) filter (where act in ('ratified', 'acceded')) > count(*) filter (where act = 'withdrawn');
