-- What open needs are matched with at each course and certificate: a country's courses, and certificates, in a topic.
drop index course_of;
create index course_of on course using gin (topics);
create index certificate_given on certificate (country, topic, certified);
