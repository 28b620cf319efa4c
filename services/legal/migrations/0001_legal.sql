-- What each country did towards each treaty, by the day of the act.
create table treaty_act (
    event_id   text primary key,
    country    text not null,
    instrument text not null,
    act        text not null check (act in ('signed', 'ratified', 'acceded', 'withdrawn', 'reserved')),
    day        date not null
);
create index treaty_act_of on treaty_act (country, instrument);

-- The parties of each treaty, and since when.
create view party as
select country, instrument, max(day) filter (where act in ('ratified', 'acceded')) as since
from treaty_act
group by country, instrument
having max(day) filter (where act in ('ratified', 'acceded'))
    > coalesce(max(day) filter (where act = 'withdrawn'), '-infinity');

-- How far a law carries out an obligation, as last judged.
create table mapping (
    event_id   text        primary key,
    country    text        not null,
    instrument text        not null,
    article    text        not null,
    law_id     text        not null,
    degree     text        not null check (degree in ('full', 'partial', 'none')),
    judged     timestamptz not null
);
create index mapping_of on mapping (country, instrument);
create index mapping_law on mapping (country, law_id);

-- When laws were changed: what was judged of them before is to be judged again.
create table law_change (
    event_id text        primary key,
    country  text        not null,
    law_id   text        not null,
    changed  timestamptz not null
);
create index law_change_of on law_change (country, law_id, changed);

-- Obligations of a party that its laws do not carry out in full; a closed gap is gone.
create table gap (
    country    text        not null,
    instrument text        not null,
    article    text        not null,
    since      timestamptz not null,
    primary key (country, instrument, article)
);

-- Until when the witnesses of a case were last seen after, for reviews reported before their case's end.
create table witness_care (
    country  text        not null,
    case_id  text        not null,
    reviewed timestamptz not null,
    primary key (country, case_id)
);
