-- Since when this service knows of the detentions that it heard of: an address book is awaited from then on.
insert into known (id, source, at)
select event_id, source, known from detention;
