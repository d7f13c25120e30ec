-- newest_batch --
-- The newest batch; 0 before the first.
select coalesce(max(batch_id), 0) from batch

-- messages_since --
-- Messages committed after a batch. $1 batch.
select coalesce(sum(messages), 0) from batch where batch_id > $1

-- ledger --
-- The ledger summed up since a batch (exclusive). $1 batch.
select coalesce(sum(received), 0)::bigint as received, coalesce(sum(stored), 0)::bigint as stored,
       coalesce(sum(duplicates), 0)::bigint as duplicates, coalesce(sum(rejected), 0)::bigint as rejected,
       coalesce(sum(judged), 0)::bigint as judged
from batch where batch_id > $1

-- newest_lag --
-- Received minus measured, seconds, of the newest fix of the newest live batch that has one.
select extract(epoch from received_at - time)::float8
from (select batch_id, received_at from batch where source = 'live' and judged > 0 order by batch_id desc limit 1)
     as newest
join lateral (select max(time) as time from fix where fix.batch_id = newest.batch_id
              and time between received_at - interval '1 hour' and received_at + interval '1 hour') as fixes on true

-- fixes_since --
-- Fixes stored by batches after one. $1 batch (exclusive).
select count(*) from fix where batch_id > $1
