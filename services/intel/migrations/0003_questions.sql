-- What officers ask about. A row for each report, told by its id and source; what holds is judged by the dates.

-- Documents put on their issuer's list (`status`) and taken off it (null).
create table listing (
    event_id text        not null,
    source   text        not null,
    issuing  text        not null,
    doc_ref  text        not null,
    status   text,
    acted    timestamptz not null,
    recorded timestamptz not null,
    primary key (event_id, source)
);
create index listing_of on listing (doc_ref, issuing, acted);

-- Who needs an authorisation to enter where, from when on.
create table entry_requirement (
    event_id       text        not null,
    source         text        not null,
    destination    text        not null,
    nationality    text        not null,
    required       boolean     not null,
    effective_from date        not null,
    doc_codes      text[]      not null,
    legal_ref      text,
    declared       timestamptz not null,
    primary key (event_id, source)
);
create index entry_requirement_of on entry_requirement (destination, nationality, effective_from);

-- Specimens of genuine documents, and what ended them.
create table specimen (
    event_id    text        not null,
    source      text        not null,
    issuing     text        not null,
    doc_code    text        not null,
    specimen_id text        not null,
    series      text        not null,
    tier        text        not null,
    valid_from  date,
    valid_to    date,
    features    text[]      not null,
    image_ref   text,
    deposited   timestamptz not null,
    primary key (event_id, source)
);
create index specimen_of on specimen (issuing, doc_code);
create table specimen_end (
    event_id      text        not null,
    source        text        not null,
    issuing       text        not null,
    specimen_id   text        not null,
    -- The specimen that took its place; null: it was withdrawn.
    superseded_by text,
    ended         timestamptz not null,
    primary key (event_id, source)
);
create index specimen_end_of on specimen_end (issuing, specimen_id);

-- Contact points designated or replaced (`officer_ref`) and vacated (null).
create table contact_act (
    event_id    text        not null,
    source      text        not null,
    country     text        not null,
    body        text        not null,
    officer_ref text,
    channel     text,
    acted       timestamptz not null,
    primary key (event_id, source)
);
create index contact_act_of on contact_act (country, body, acted);
