-- The Merkle tree over the log (shared/record/tree.py): a leaf for each row, the row at position n at index n - 1. It is
-- made from what stands in the log, behind the recording, whatever version recorded it.
create table tree (
    one  boolean primary key default true check (one),
    -- What the rows' salts are made of: a leaf's hash alone shall not tell whether a guess at a row is right.
    salt bytea   not null check (octet_length(salt) = 32)
);

-- Tiles of up to 256 hashes. Those of level 0 hold the hashes of leaves and are written when they are full; those above
-- hold the roots of the full tiles below.
create table tile (
    level  smallint not null,
    number bigint   not null,
    hashes bytea    not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
    primary key (level, number)
);
alter table tile alter column hashes set storage external;

-- The checkpoints that the service signed (C2SP tlog-checkpoint), and who cosigned them (tlog-cosignature).
create table checkpoint (
    size   bigint      primary key check (size > 0),
    root   bytea       not null check (octet_length(root) = 32),
    signed text        not null,
    -- Real time.
    at     timestamptz not null default now()
);
create table cosignature (
    size    bigint not null,
    witness text   not null,
    line    text   not null,
    primary key (size, witness)
);

-- The hash of a row's leaf, as shared/record/tree.py has it (`entry`, `leaf`).
create function leaf(number bigint, secret bytea, payload bytea, signature bytea) returns bytea
language sql immutable parallel safe
return sha256(
    '\x00'::bytea || int8send(number) || sha256(secret || int8send(number))
    || int4send(octet_length(payload)) || payload || coalesce(signature, ''::bytea)
);
