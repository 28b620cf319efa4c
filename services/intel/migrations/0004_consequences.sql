-- What intel correlates, as reported: a row for each report, told by its id and source. What follows from the rows is
-- computed from all rows about one thing, never from what came last; so these take the place of tables of states.
drop table sighting, specimen_wanted, detention, seizure, phone_hash, suspect, route, band, place, place_event,
    exchange, commitment;

-- What was told, and what it is about: when a report behind it is amended, it is taken back or stands.
create table told (
    scope     text    not null,
    -- What makes it the same notice.
    key       text    not null,
    event_id  text    not null,
    type      text    not null,
    country   text    not null,
    entity    text    not null,
    -- Told only when it falls due (`deadline` of the same key), unless it no longer holds by then.
    scheduled boolean not null,
    primary key (scope, key)
);
create index told_key on told (key);
create index told_event on told (event_id);

-- Documents that a border held to be false.
create table sighting (
    event_id text        not null,
    source   text        not null,
    issuing  text        not null,
    doc_ref  text        not null,
    country  text        not null,
    place    text        not null,
    seen     timestamptz not null,
    primary key (event_id, source)
);
create index sighting_of on sighting (doc_ref, issuing);
-- Fakes that a laboratory confirmed.
create table confirmation (
    event_id  text        not null,
    source    text        not null,
    issuing   text        not null,
    doc_code  text        not null,
    confirmed timestamptz not null,
    primary key (event_id, source)
);
create index confirmation_of on confirmation (issuing, doc_code);

-- Detentions for trafficking or smuggling, the address books secured at them, and to whom these were opened.
create table detention (
    event_id     text        not null,
    source       text        not null,
    country      text        not null,
    detention_id text        not null,
    known        timestamptz not null,
    primary key (event_id, source)
);
create index detention_of on detention (country, detention_id);
create table seizure (
    event_id     text        not null,
    source       text        not null,
    country      text        not null,
    seizure_id   text        not null,
    detention_id text,
    known        timestamptz not null,
    primary key (event_id, source)
);
create index seizure_of on seizure (country, seizure_id);
create index seizure_at on seizure (country, detention_id);
create table dissemination (
    event_id   text   not null,
    source     text   not null,
    country    text   not null,
    seizure_id text   not null,
    recipients text[] not null,
    tlp        text,
    handling   text,
    srceval    text,
    infoeval   text,
    primary key (event_id, source)
);
create index dissemination_of on dissemination (country, seizure_id);
create table phone_hash (
    hash     text not null,
    event_id text not null,
    source   text not null,
    primary key (hash, event_id, source),
    foreign key (event_id, source) references dissemination on delete cascade
);
create index phone_hash_in on phone_hash (event_id, source);

-- Presumed traffickers, by detection.
create table detection (
    event_id       text        not null,
    source         text        not null,
    country        text        not null,
    pid            text        not null,
    sex            text        not null,
    age_band       text        not null,
    role           text        not null,
    nationality    text,
    band_id        text,
    route_id       text,
    modus_operandi text[]      not null,
    reported_by    text        not null,
    tlp            text,
    handling       text,
    srceval        text,
    infoeval       text,
    detected       timestamptz not null,
    primary key (event_id, source)
);
create index detection_of on detection (country, pid);
create index detection_band on detection (band_id);
create index detection_route on detection (route_id);

-- Routes and bands, by what was reported of them.
create table route_act (
    event_id text        not null,
    source   text        not null,
    country  text        not null,
    route_id text        not null,
    act      text        not null check (act in ('reported', 'confirmed', 'retired')),
    -- The legs, as one text: two reports of the same way are of one route, whatever they call it.
    way      text,
    members  text[]      not null,
    reported_by text     not null,
    tlp      text,
    handling text,
    srceval  text,
    infoeval text,
    acted    timestamptz not null,
    primary key (event_id, source)
);
create index route_act_of on route_act (route_id);
create index route_act_way on route_act (way);
create table band_act (
    event_id text        not null,
    source   text        not null,
    country  text        not null,
    band_id  text        not null,
    act      text        not null check (act in ('identified', 'dismantled', 'reactivated')),
    -- What was reported, as JSON.
    said     bytea       not null,
    acted    timestamptz not null,
    primary key (event_id, source)
);
create index band_act_of on band_act (band_id);

-- Places where victims are suspected, what their country answered, and victims identified because of something.
create table place (
    event_id  text        not null,
    source    text        not null,
    place_ref text        not null,
    reporter  text        not null,
    target    text        not null,
    due       timestamptz not null,
    tlp       text,
    handling  text,
    srceval   text,
    infoeval  text,
    primary key (event_id, source)
);
create index place_of on place (place_ref, target);
create index place_target on place (target);
create index place_event on place (event_id);
create table place_act (
    event_id  text        not null,
    source    text        not null,
    place_ref text        not null,
    target    text        not null,
    act       text        not null check (act in ('acknowledged', 'verified', 'cleared')),
    primary key (event_id, source)
);
create index place_act_of on place_act (place_ref, target);
create table identification (
    event_id    text not null,
    source      text not null,
    country     text not null,
    causationid text not null,
    reported_by text not null,
    primary key (event_id, source)
);
create index identification_cause on identification (causationid);

-- Information asked of another country, and its answers; what meetings agreed, and what was kept of it.
create table request (
    event_id    text        not null,
    source      text        not null,
    exchange_id text        not null,
    asker       text        not null,
    asked       text        not null,
    due         timestamptz not null,
    tlp         text,
    handling    text,
    srceval     text,
    infoeval    text,
    primary key (event_id, source)
);
create index request_of on request (exchange_id, asker, asked);
create index request_asked on request (asked);
create table request_act (
    event_id    text        not null,
    source      text        not null,
    exchange_id text        not null,
    asker       text        not null,
    asked       text        not null,
    act         text        not null check (act in ('answered', 'refused')),
    reason      text,
    primary key (event_id, source)
);
create index request_act_of on request_act (exchange_id, asker, asked);
create table commitment (
    event_id      text        not null,
    source        text        not null,
    commitment_id text        not null,
    country       text        not null,
    agreed_by     text        not null,
    due           timestamptz not null,
    primary key (event_id, source)
);
create index commitment_of on commitment (commitment_id);
create table commitment_act (
    event_id      text not null,
    source        text not null,
    commitment_id text not null,
    primary key (event_id, source)
);
create index commitment_act_of on commitment_act (commitment_id);
