-- What is carried out is told by the country whose law it is, no longer by the one that reports: so the Technical
-- Group's judgements of two countries never meet. Countries judged their own until now; their acts keep their place.
update tally set thing = '|' || thing where what = 'transposed' and thing not like '|%';
