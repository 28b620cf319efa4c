-- Nobody read it: when the clock of an enrolment began stands in its deadline.
alter table homecoming drop column repatriated;
