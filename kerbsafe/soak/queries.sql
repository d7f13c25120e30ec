-- ledger --
-- What ingest says that it received and did with it, and the batches whose line does not add up.
select coalesce(sum(received), 0)::bigint as received, coalesce(sum(stored), 0)::bigint as stored,
       coalesce(sum(duplicates), 0)::bigint as duplicates, coalesce(sum(rejected), 0)::bigint as rejected,
       count(*) filter (where received <> stored + duplicates + rejected) as unbalanced
from batch

-- observations --
-- How many observations are stored.
select (select count(*) from fix) + (select count(*) from camera_event)

-- camera_events --
-- What cameras saw.
select vehicle_id, time, event_id, side, target, phase from camera_event

-- gaps --
-- When messages may have been lost on their way to us, and how many at most.
select source, from_at, until_at, messages from transport_gap order by noted_at

-- count_gaps --
-- How often it was told that messages may be missing. $1 source.
select count(*) from transport_gap where source = $1

-- rejects --
-- What was rejected, by reason.
select reason, sum(observations)::bigint as observations from reject group by reason

-- vehicles --
-- The vehicles of codes, in their order. $1 codes.
select vehicle_id from unnest($1::text[]) with ordinality as given (code, place)
join vehicle using (code) order by place

-- judged --
-- Episodes as they stand, in shadow too, each with whether it is settled. $1 rules to leave out.
select vehicle_id, rule, mode, started_at, ended_at, severity, peak, limit_value, status
from episode where status <> 'withdrawn' and rule <> all($1::text[])

-- turns --
-- Right turns as they stand, each with whom cameras saw and whether it is settled.
select vehicle_id, entered_at, exited_at, reason, armed, conflicts, status from right_turn where status <> 'withdrawn'

-- wrong_alerts --
-- Alerts that wait for a person though their episode was withdrawn.
select count(*) from alert join episode on episode_id = alert_id
where episode.status = 'withdrawn' and alert.state in ('open', 'acknowledged')

-- unsettled --
-- What still waits for the settler.
select (select count(*) from dirty) + (select count(*) from segment where settled_at is null)
