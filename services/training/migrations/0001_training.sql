-- Fake documents confirmed at border posts, until they have raised a training need.
create table confirmation (
    event_id   text        primary key,
    country    text        not null,
    bcp        text        not null,
    pattern    text        not null,
    confirmed  timestamptz not null,
    need_id    text
);
create index confirmation_open on confirmation (country, bcp, pattern) where need_id is null;

-- Certificates of officers, and the laws they are aligned to.
create table certificate (
    country          text        not null,
    cert_id          text        not null,
    topic            text        not null,
    institution_type text        not null,
    certified        timestamptz not null,
    state            text        not null check (state in ('valid', 'stale', 'expired', 'retracted')),
    primary key (country, cert_id)
);
create table alignment (
    country text not null,
    cert_id text not null,
    law_id  text not null,
    primary key (country, law_id, cert_id),
    foreign key (country, cert_id) references certificate (country, cert_id)
);

-- When each law was last amended, for certificates that arrive after the amendment they do not know.
create table law (
    country text        not null,
    law_id  text        not null,
    amended timestamptz not null,
    primary key (country, law_id)
);

-- Officials in the Integrity and Professionalisation System, each counted once however often enrolled.
create table official (
    country          text    not null,
    officer_pid      text    not null,
    institution_type text    not null,
    enrolments       integer not null check (enrolments >= 0),
    primary key (country, officer_pid, institution_type)
);
