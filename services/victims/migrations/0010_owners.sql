-- A referral's identifier belongs to the country that sent it: two countries may give the same. Until now none could.
alter table referral drop constraint referral_pkey, add primary key (sender, referral_id);
create index referral_named on referral (receiver, referral_id);

-- Returns and enrolments by the referral's owner. While nothing is known of a referral but that a country enrolled a
-- victim under it, `owner` is that country's code after `to:`; empty where not even that was noted.
alter table homecoming
    add column owner    text not null default '',
    add column receiver text not null default '',
    drop constraint homecoming_pkey;
update homecoming as h set owner = r.sender, receiver = r.receiver from referral as r where r.referral_id = h.referral_id;
update homecoming as h set owner = l.data->>'from', receiver = l.data->>'to'
from (select convert_from(payload, 'UTF8')::jsonb->'data' as data from log
    where type = 'crm.victims.repatriation.completed.v1') as l
where h.owner = '' and l.data->>'referral_id' = h.referral_id;
alter table homecoming add primary key (owner, referral_id);
create index homecoming_named on homecoming (referral_id, receiver);

-- The deadlines of a referral, and of an enrolment under it, by its owner.
update deadline as d set id = 'answer/' || r.sender || ':' || r.referral_id || step
from referral as r, unnest(array['', '/2', '/3', '/end']) as step
where d.id = 'answer/' || r.referral_id || step;
update deadline as d set id = 'enrolment/' || h.owner || ':' || h.referral_id from homecoming as h
where d.id = 'enrolment/' || h.referral_id;

-- What is counted of referrals (shared/tally.py), by their owner; of enrolments under an unknown one, by who enrolled.
update tally as t set thing = '|' || r.sender || ':' || r.referral_id from referral as r
where t.what in ('referral', 'enrolment') and t.thing = '|' || r.referral_id;
update tally as t set thing = '|' || l.country || ':' || substr(t.thing, 2) from log as l
where t.what = 'enrolment' and l.position = t.position and t.thing !~ '^.[A-Z]{3}:';
