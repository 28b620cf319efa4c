-- Two countries may give reports of theirs the same id: only the source with it tells which report a row is of.
alter table treaty_act add column source text;
update treaty_act as r set source = l.source from log as l
where l.id = r.event_id and l.type like 'crm.legal.treaty.%';
alter table treaty_act
    alter column source set not null,
    drop constraint treaty_act_pkey,
    add primary key (event_id, source);

alter table mapping add column source text;
update mapping as r set source = l.source from log as l
where l.id = r.event_id and l.type = 'crm.legal.provision.mapped.v1';
alter table mapping
    alter column source set not null,
    drop constraint mapping_pkey,
    add primary key (event_id, source);

alter table law_change add column source text;
update law_change as r set source = l.source from log as l
where l.id = r.event_id and l.type in ('crm.legal.law.amended.v1', 'crm.legal.law.repealed.v1');
alter table law_change
    alter column source set not null,
    drop constraint law_change_pkey,
    add primary key (event_id, source);
