-- committed --
-- The newest batch after one, and the messages committed since. $1 batch (exclusive).
select max(batch_id) as last, coalesce(sum(messages), 0)::bigint as messages from batch where batch_id > $1

-- look_up_by_index --
-- Plans made while the ledger is empty would read all of it a hundred times a second, minutes later.
set enable_seqscan = off

-- look_up_as_planned --
-- The end of that.
reset enable_seqscan

-- last_batch --
-- The newest batch; 0 if there is none.
select coalesce(max(batch_id), 0) from batch

-- batches --
-- Batches with messages since one, in order, and when each was committed. $1 batch (exclusive).
select batch_id, source, pg_xact_commit_timestamp(xmin) as committed_at, messages, judged, stored
from batch where messages > 0 and batch_id > $1 order by batch_id

-- batches_of_fixes --
-- The batch of each fix: an array a vehicle in the order of time, vehicles by id. $1 vehicles, $2 since.
select array_agg(batch_id order by time) as batches from fix
where vehicle_id = any($1::int[]) and time >= $2 group by vehicle_id order by vehicle_id

-- unsettled --
-- Whether vehicles wait for the settler: dirty rows, and segments that are not settled. $1 vehicles.
select (select count(*) from dirty where vehicle_id = any($1::int[])) as dirty,
       (select count(*) from segment where vehicle_id = any($1::int[]) and settled_at is null) as segments

-- stored_since --
-- Fixes stored and judged from one session's messages. $1 source, $2 batch (exclusive).
select coalesce(sum(stored), 0)::bigint as stored, coalesce(sum(judged), 0)::bigint as judged
from batch where source = $1 and batch_id > $2

-- judging --
-- Whether anything was judged live since a batch. $1 batch (exclusive).
select exists (select from batch where source = 'live' and judged > 0 and batch_id > $1)

-- track_commits --
-- Have the server note when each transaction was committed; in force after a restart.
alter system set track_commit_timestamp = on

-- checkpoint --
-- Write out what is dirty, so that no run pays for the one before it.
checkpoint

-- vacuum --
-- Let the planner know the registry.
vacuum analyze

-- alerted --
-- Vehicle code, rule and start of every episode that a person is alerted of.
select code, rule, started_at from alert
join episode on episode_id = alert_id join vehicle using (vehicle_id)

-- make_floor_row --
-- A table for single rows.
create table floor_row (number integer primary key)

-- insert_floor_row --
-- One row, committed by itself. $1 number.
insert into floor_row (number) values ($1)

-- history_so_far --
-- Observations that came in back-fill, and in large messages.
select coalesce(sum(received), 0)::bigint from batch where source = 'history'

-- stored_of --
-- Fixes that are stored of vehicles, and the bytes on disk of each stored fix, of whoever. $1 vehicles.
select count(*) filter (where vehicle_id = any($1::int[])) as stored,
       (select sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'fix'::regclass)::float8
           / greatest(count(*), 1) as bytes_each
from fix

-- is_timescale --
-- Whether timed tables are hypertables, which make their chunks themselves.
select exists (select from pg_extension where extname = 'timescaledb');

-- fixes --
-- How many fixes are stored.
select count(*) from fix
