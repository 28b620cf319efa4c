-- How many telephone numbers each country had hashed on a day (legal.numbers): the limit of the day, and the audit of it.
create table hashed (
    country text    not null,
    day     date    not null,
    numbers integer not null check (numbers > 0),
    primary key (country, day)
);
