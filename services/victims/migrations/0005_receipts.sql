-- What the sweeper of receipts looks for: referrals that wait for an answer and, as far as is known, lie unread.
create index referral_undelivered on referral (receiver) where delivered is null and state in ('pending', 'overdue');
