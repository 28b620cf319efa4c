-- When a referral was sent by its own report: an answer is not older. `sent` is when the region knew.
alter table referral add column since timestamptz;
update referral set since = sent;
update referral as r set since = l.since
from (select whole->'data'->>'referral_id' as referral_id, (whole->>'time')::timestamptz as since
    from (select convert_from(payload, 'UTF8')::jsonb as whole from log where type = 'crm.victims.referral.sent.v1') as j)
    as l
where l.referral_id = r.referral_id;
alter table referral alter column since set not null;
