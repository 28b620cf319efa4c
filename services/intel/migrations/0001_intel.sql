-- Listed or not: documents that a border held to be false, for those that are listed only afterwards.
create table sighting (
    event_id text        not null,
    source   text        not null,
    doc_ref  text        not null,
    issuing  text        not null,
    country  text        not null,
    place    text        not null,
    seen     timestamptz not null,
    primary key (event_id, source)
);
create index sighting_of on sighting (doc_ref, issuing);

-- Documents of which a specimen was asked for, until one is deposited: asked once, not at every fake.
create table specimen_wanted (
    issuing  text not null,
    doc_code text not null,
    primary key (issuing, doc_code)
);

-- Detentions for trafficking or smuggling and the address books secured at them (Plan IE 1.2.3), in either order.
create table detention (
    country      text        not null,
    detention_id text        not null,
    detained     timestamptz,
    seizures     integer     not null default 0,
    primary key (country, detention_id)
);
create table seizure (
    country       text        not null,
    seizure_id    text        not null,
    holder_pid    text,
    seized        timestamptz,
    disseminated  timestamptz,
    primary key (country, seizure_id)
);

-- Keyed hashes of the telephone numbers in address books, and the countries that each book was opened to.
create table phone_hash (
    hash       text   not null,
    country    text   not null,
    seizure_id text   not null,
    recipients text[] not null,
    handling   text,
    primary key (hash, country, seizure_id)
);

-- Presumed traffickers by the identifier that a country gave them, with what tells one from another.
create table suspect (
    country        text    not null,
    pid            text    not null,
    detections     integer not null,
    evidence       text[]  not null,
    sex            text    not null,
    nationality    text,
    role           text    not null,
    bands          text[]  not null,
    routes         text[]  not null,
    modus_operandi text[]  not null,
    tlp            text,
    handling       text,
    srceval        text,
    infoeval       text,
    merged_into    text,
    primary key (country, pid)
);
create index suspect_band on suspect using gin (bands);

-- Routes and bands: how many reports stand behind each, so that the first opens it and the last closes it.
create table route (
    route_id text    primary key,
    reports  integer not null,
    retired  boolean not null
);
create table band (
    band_id    text        primary key,
    identified timestamptz,
    state      text        not null check (state in ('active', 'dismantled'))
);

-- Places where victims are suspected (Plan IE 3.2.1): who reported, whose answer is awaited, and what it was.
create table place (
    place_ref text        not null,
    reporter  text        not null,
    target    text        not null,
    reported  timestamptz not null,
    state     text        not null check (state in ('reported', 'acknowledged', 'verified', 'cleared')),
    victims   integer     not null default 0,
    primary key (place_ref, target, reporter)
);
create table place_event (
    event_id  text not null,
    source    text not null,
    place_ref text not null,
    target    text not null,
    primary key (event_id, source)
);

-- Information asked of another country, and commitments of the meetings.
create table exchange (
    exchange_id text        not null,
    asker       text        not null,
    asked       text        not null,
    requested   timestamptz not null,
    answered    boolean     not null default false,
    primary key (exchange_id, asker)
);
create table commitment (
    commitment_id text        primary key,
    country       text        not null,
    due           timestamptz not null,
    fulfilled     boolean     not null default false
);
