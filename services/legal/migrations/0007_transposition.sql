-- When a country's law began and ceased to carry out an article: what was told of it, step by step. What mappings alone
-- counted until now is taken over from their acts; the next report that touches an article brings it to what holds.
create table transposition (
    country    text        not null,
    instrument text        not null,
    article    text        not null,
    at         timestamptz not null,
    by         integer     not null
);
create index transposition_of on transposition (country, instrument);
insert into transposition (country, instrument, article, at, by)
select split_part(thing, '|', 2), split_part(thing, '|', 3), split_part(thing, '|', 4), at,
       case when opens then 1 else -1 end
from (select thing, at, opens, lag(opens, 1, false) over (partition by thing order by at, position) as before
      from tally where what = 'transposed') as act
where opens <> before;
