-- Routes are told apart by their identifiers alone: thousands may go the same way.
alter table route_act drop column way;
