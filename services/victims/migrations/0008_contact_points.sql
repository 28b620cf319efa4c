-- Contact points are kept as they were reported, so that an amended report is followed; what holds is the latest.
create table contact_act (
    event_id text        not null,
    source   text        not null,
    country  text        not null,
    body     text        not null,
    filled   boolean     not null,
    changed  timestamptz not null,
    primary key (event_id, source)
);
create index contact_act_of on contact_act (country, body, changed);
insert into contact_act (event_id, source, country, body, filled, changed)
select 'before:' || country || ':' || body, 'urn:crm:service:victims', country, body, filled, changed from contact_point;
drop table contact_point;
