-- The ladder, and what is told again to a new contact point. `offer` is sealed with the key of the person it is about.
alter table referral
    drop constraint referral_state_check,
    add constraint referral_state_check
        check (state in ('pending', 'overdue', 'accepted', 'rejected', 'revoked', 'lapsed', 'completed')),
    add column consent_id text,
    add column subject    text,
    add column delivered  timestamptz,
    add column offer      bytea;
create index referral_to on referral (receiver) where state in ('pending', 'overdue');
create index referral_under on referral (sender, consent_id);

-- Consents by the country that recorded them.
create table consent (
    country     text not null,
    consent_id  text not null,
    victim_pid  text not null,
    scope       text not null,
    valid_until date,
    withdrawn   boolean not null default false,
    primary key (country, consent_id)
);
create index consent_of on consent (country, victim_pid);

-- One key per person. What is sealed with it can never be read again once the row is gone; leave this table's
-- rows out of backups that outlive a withdrawn consent.
create table subject_key (
    country text  not null,
    subject text  not null,
    key     bytea not null check (octet_length(key) = 32),
    primary key (country, subject)
);

-- Countries that hold data under a withdrawn consent, until they say that it is erased.
create table erasure (
    owner      text not null,
    consent_id text not null,
    holder     text not null,
    erased     boolean not null default false,
    primary key (owner, consent_id, holder)
);

-- Returns and enrolments by referral, in either order (Plan VA 5.1).
create table homecoming (
    referral_id text        primary key,
    repatriated timestamptz,
    -- The event that tells that nobody enrolled in time; recorded or not.
    escalation  text,
    enrolments  integer     not null default 0
);

-- Evaluations that are awaited of a case's countries.
create table evaluation (
    subject  text        not null,
    case_id  text        not null,
    sender   text        not null,
    receiver text        not null,
    due      timestamptz not null,
    primary key (subject, case_id, sender)
);

-- Contact points of the countries, as heard from intel; `filled`: somebody holds the post.
create table contact_point (
    country text        not null,
    body    text        not null,
    filled  boolean     not null,
    changed timestamptz not null,
    primary key (country, body)
);
