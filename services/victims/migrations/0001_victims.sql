-- Referrals between countries, and where each stands.
create table referral (
    referral_id text        not null,
    sender      text        not null,
    receiver    text        not null,
    urgency     text        not null,
    sent        timestamptz not null,
    due         timestamptz not null,
    state       text        not null check (state in ('pending', 'overdue', 'accepted', 'rejected', 'revoked')),
    primary key (referral_id)
);

-- Which services a victim got in a year, so that a person assisted is counted once (Plan row IP-f).
create table assistance (
    country    text    not null,
    victim_pid text    not null,
    year       integer not null,
    services   integer not null check (services >= 0),
    primary key (country, victim_pid, year)
);
