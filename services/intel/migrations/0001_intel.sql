-- Documents that their issuers listed; a document taken off the list has no row. `since`: when the region knew.
create table listed (
    doc_ref  text        primary key,
    issuing  text        not null,
    status   text        not null,
    event_id text        not null,
    since    timestamptz not null
);

-- Listed or not: documents that a border held to be false, for those that are listed only afterwards.
create table sighting (
    doc_ref  text        not null,
    event_id text        not null,
    country  text        not null,
    place    text        not null,
    seen     timestamptz not null,
    primary key (doc_ref, event_id)
);

-- Specimens of genuine documents (Plan IE 3.2.2).
create table specimen (
    specimen_id   text   primary key,
    issuing       text   not null,
    doc_code      text   not null,
    series        text   not null,
    tier          text   not null,
    valid_from    date,
    valid_to      date,
    features      text[] not null,
    image_ref     text,
    state         text   not null check (state in ('current', 'superseded', 'withdrawn')),
    superseded_by text
);
create index specimen_of on specimen (issuing, doc_code);

-- Documents of which a specimen was asked for, until one is deposited: asked once, not at every fake.
create table specimen_wanted (
    issuing  text not null,
    doc_code text not null,
    primary key (issuing, doc_code)
);

-- Who needs an authorisation to enter where, from which day on (Plan IE 1.2).
create table entry_requirement (
    destination            text    not null,
    nationality            text    not null,
    effective_from         date    not null,
    authorisation_required boolean not null,
    doc_codes              text[]  not null,
    legal_ref              text,
    event_id               text    not null,
    primary key (destination, nationality, effective_from)
);

-- Contact points by country and body; without `officer_ref` the post is vacant. `changed` is when that happened.
create table contact_point (
    country     text        not null,
    body        text        not null,
    officer_ref text,
    channel     text,
    valid_from  date,
    changed     timestamptz not null,
    primary key (country, body)
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
    event_id  text primary key,
    place_ref text not null,
    target    text not null
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
