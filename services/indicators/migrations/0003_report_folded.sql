-- At which sequences a report was made. It stood in the report itself; but these grow by one with each person reported,
-- and a report is public. The operator is told them (/api/reports/{quarter}/changes).
alter table report add column folded jsonb not null default '{}';
