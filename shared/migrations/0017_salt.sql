-- The secret of the tree's salts is there before the first row. It was made with the first checkpoint: a log restored from
-- a backup of before that would have got another, and none of what was signed would have been true of it.
insert into tree (salt)
values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
on conflict do nothing;
