-- Beyond the first hundred rejects an hour of a vehicle only their number is kept: in one row an hour and reason,
-- not in one a batch, of which a unit that sends nothing but rubbish would make a thousand a minute.

-- The hour that the row counts; NULL: the row is one reject, with its bytes.
alter table reject add column hour timestamptz;

-- What was counted by batches so far is added up.
update reject set hour = date_trunc('hour', received_at, 'UTC') where payload is null and topic = '';
update reject set observations = together.observations
from (
    select min(reject_id) as reject_id, sum(observations)::integer as observations
    from reject where hour is not null group by hour, reason, vehicle_id
) as together
where reject.reject_id = together.reject_id;
delete from reject where hour is not null and reject_id not in (
    select min(reject_id) from reject where hour is not null group by hour, reason, vehicle_id
);

create unique index reject_of_hour on reject (hour, reason, vehicle_id) nulls not distinct where hour is not null;
alter table reject alter column observations type bigint;
