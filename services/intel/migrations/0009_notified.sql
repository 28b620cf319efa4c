-- What was told stands in the table that all services have now (shared/record). The former one stays for a version of
-- before that runs until it is stopped.
insert into notified (scope, key, event_id, type, country, entity, scheduled)
select scope, key, event_id, type, country, entity, scheduled from told;
