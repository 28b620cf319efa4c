-- What certificates rest on, what was told of them, training needs, and complaints. What is already recorded is read
-- back from the log, so that a service that ran before goes on with all of it.

-- A certificate as last corrected. `aligned` names laws (GTM/GTM-law-1) and the treaties in a country's law (GTM:TIP);
-- `editions` the versions of laws that it knows (GTM/GTM-law-1@2004-1).
alter table certificate
    add column event_id    text,
    add column source      text,
    add column officer_pid text,
    add column valid_from  date,
    add column valid_until date,
    add column aligned     text[] not null default '{}',
    add column editions    text[] not null default '{}';
update certificate as c
set event_id = l.id, source = l.source, officer_pid = l.data->>'officer_pid',
    valid_from = (l.data->>'valid_from')::date, valid_until = (l.data->>'valid_until')::date,
    aligned = coalesce((select array_agg(c.country || '/' || law_id) from alignment as a
        where a.country = c.country and a.cert_id = c.cert_id), '{}')
from (select country, id, source, convert_from(payload, 'UTF8')::jsonb->'data' as data from log
    where type = 'crm.training.officer.certified.v1') as l
where l.country = c.country and l.data->>'cert_id' = c.cert_id;
alter table certificate
    alter column event_id set not null,
    alter column source set not null,
    alter column officer_pid set not null,
    alter column valid_from set not null,
    alter column valid_until set not null,
    drop column state,
    add unique (event_id, source);
drop table alignment;
create index certificate_officer on certificate (country, officer_pid, topic, certified);
create index certificate_topic on certificate (topic, certified);
create index certificate_aligned on certificate using gin (aligned);

-- What was told of a certificate and not taken back, in order: what it is now is what was told last.
create table told (
    number      bigint      generated always as identity primary key,
    event_id    text        not null unique,
    country     text        not null,
    cert_id     text        not null,
    kind        text        not null check (kind in ('staled', 'expired', 'renewed', 'revoked')),
    at          timestamptz not null,
    reason      text,
    grace_until timestamptz,
    renewed_by  text,
    event       bytea       not null
);
create index told_of on told (country, cert_id);
insert into told (event_id, country, cert_id, kind, at, reason, grace_until, event)
select id, country, data->>'cert_id', split_part(type, '.', 4), (data->>'time')::timestamptz, data->>'reason',
    (data->>'grace_until')::timestamptz, payload
from (select position, id, country, type, payload, payload_json->'data' || jsonb_build_object('time', payload_json->'time')
    as data from (select position, id, country, type, payload, convert_from(payload, 'UTF8')::jsonb as payload_json from log
        where type in ('crm.training.certification.staled.v1', 'crm.training.certification.expired.v1')) as j) as l
order by position;

-- Changes of laws: what they touch (as `aligned` above), to which edition, when, and from when officers are to know.
create table law_change (
    event_id text        not null,
    source   text        not null,
    touches  text[]      not null,
    edition  text        not null,
    changed  timestamptz not null,
    known    timestamptz not null,
    counts   timestamptz not null,
    primary key (event_id, source)
);
create index law_change_touches on law_change using gin (touches);
insert into law_change (event_id, source, touches, edition, changed, known, counts)
select country || '/' || law_id, '', array[country || '/' || law_id], '', amended, amended, amended from law;
drop table law;

-- When the region learned of each pattern of forgery (issuing country/document/fraud), by its first confirmation.
alter table confirmation
    add column source text not null default '',
    add column known  timestamptz;
update confirmation set known = confirmed;
alter table confirmation
    alter column known set not null,
    drop constraint confirmation_pkey,
    add primary key (event_id, source);
create index confirmation_pattern on confirmation (pattern, known);
create table pattern (
    pattern text        primary key,
    known   timestamptz not null
);
create index pattern_known on pattern (known);
insert into pattern (pattern, known) select pattern, min(known) from confirmation group by pattern;

-- Training needs, each with what it comes from, and the courses that meet them.
create table need (
    need_id text        primary key,
    cause   text        not null,
    source  text        not null,
    country text        not null,
    topic   text        not null,
    bcp     text,
    pattern text,
    since   timestamptz not null,
    raised  timestamptz not null,
    state   text        not null check (state in ('raised', 'planned', 'met', 'withdrawn'))
);
create index need_open on need (country, topic) where state in ('raised', 'planned');
create index need_cause on need (cause, source);
insert into need (need_id, cause, source, country, topic, bcp, pattern, since, raised, state)
select data->>'need_id', whole->>'causationid', '', country, data->>'topic', data->>'bcp',
    (select max(pattern) from confirmation where need_id = data->>'need_id'),
    (whole->>'time')::timestamptz, (whole->>'recordedtime')::timestamptz, 'raised'
from (select country, whole, whole->'data' as data from (select country, convert_from(payload, 'UTF8')::jsonb as whole
    from log where type = 'crm.training.need.raised.v1') as l) as n;
create table course (
    event_id  text        not null,
    source    text        not null,
    country   text        not null,
    course_id text        not null,
    topics    text[]      not null,
    bcp       text,
    delivered boolean     not null,
    at        timestamptz not null,
    primary key (event_id, source)
);
create index course_of on course (country, at);

-- Complaints about officials: what arrived and what was decided, each as reported. What was found true of an officer
-- ends the certificates that the officer had by then.
create table complaint (
    event_id     text        not null,
    source       text        not null,
    country      text        not null,
    complaint_id text        not null,
    resolved     boolean     not null,
    officer_pid  text,
    at           timestamptz not null,
    known        timestamptz not null,
    primary key (event_id, source)
);
create index complaint_of on complaint (country, complaint_id);
create index complaint_about on complaint (country, officer_pid, at) where officer_pid is not null;

-- Officials are counted by the log itself (shared/migrations/0003_tally.sql).
drop table official;
