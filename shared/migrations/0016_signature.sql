-- A report's signature: a compact JWS (RFC 7515) with the bytes that the country signed; none: it is not signed.
alter table log add column signature bytea;

-- The keys that sign for a country, as it told itself (indicators.key.added, indicators.key.revoked).
create table signer (
    country text        not null,
    key     text        not null,
    -- The only system whose reports it signs; empty: all.
    system  text        not null,
    since   timestamptz not null,
    until   timestamptz,
    revoked timestamptz,
    primary key (country, key)
);
