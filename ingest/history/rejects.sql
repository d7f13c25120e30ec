-- list_rejects --
-- What was refused, newest first, without its bytes. $1 reason (NULL any), $2 vehicle code (NULL any), $3 at most.
select reject_id, received_at, reason, topic, observations, detail, retriable, retried_at
from reject
where ($1::text is null or reason = $1)
  and ($2::text is null or split_part(topic, '/', 4) = $2
       or vehicle_id = (select vehicle_id from vehicle where code = $2))
order by reject_id desc limit $3

-- sum_rejects --
-- How much was refused, by reason; how much of it can be taken in again, and how much has been.
-- $1 reason (NULL any), $2 vehicle code (NULL any).
select reason, sum(observations)::bigint as observations,
       coalesce(sum(observations) filter (where retriable and retried_at is null), 0)::bigint as retriable,
       coalesce(sum(observations) filter (where retried_at is not null), 0)::bigint as retried
from reject
where ($1::text is null or reason = $1)
  and ($2::text is null or split_part(topic, '/', 4) = $2
       or vehicle_id = (select vehicle_id from vehicle where code = $2))
group by reason order by observations desc, reason

-- retriable_rejects --
-- What can be taken in again, oldest first, and how large it is. $1 reason (NULL any), $2 vehicle code (NULL any).
select reject_id, octet_length(payload) as bytes from reject
where retriable and retried_at is null
  and ($1::text is null or reason = $1)
  and ($2::text is null or split_part(topic, '/', 4) = $2
       or vehicle_id = (select vehicle_id from vehicle where code = $2))
order by reject_id

-- lock_rejects --
-- Of some that can be taken in again, all that came; nobody else takes them in meanwhile. $1 ids.
select reject_id, topic, payload from reject
where reject_id = any($1::bigint[]) and retried_at is null order by reject_id for update

-- mark_retried --
-- Write down that all of some was taken in again. $1 ids, $2 at.
update reject set retried_at = $2 where reject_id = any($1::bigint[])
