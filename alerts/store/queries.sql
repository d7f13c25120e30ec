-- live_episodes --
-- Insert or advance provisional episodes; what is settled belongs to the settler, what was withdrawn revives.
-- $1 ids, $2 vehicles, $3 companies (NULL unknown), $4 rules, $5 rulebooks, $6 starts, $7 ends (NULL open),
-- $8 ended_as, $9 severities, $10 peaks, $11 limits, $12 limit sources, $13 measures, $14 modes, $15 decided_at.
insert into episode as stored (episode_id, vehicle_id, company_id, rule, mode, rulebook, started_at, ended_at,
    ended_as, severity, peak, limit_value, limit_source, measures, status, decided_at)
select id, vehicle, company, rule, mode, rulebook, started, ended, how, severity, peak, lim, source,
       measures::jsonb, 'provisional', $15
from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
            $8::text[], $9::smallint[], $10::float8[], $11::float8[], $12::text[], $13::text[], $14::text[])
     as given (id, vehicle, company, rule, rulebook, started, ended, how, severity, peak, lim, source, measures,
               mode)
order by vehicle, rule, started
on conflict (episode_id) do update
set ended_at = excluded.ended_at, ended_as = excluded.ended_as, severity = excluded.severity,
    peak = excluded.peak, limit_value = excluded.limit_value, limit_source = excluded.limit_source,
    measures = excluded.measures, decided_at = excluded.decided_at, status = 'provisional', settled_as = null,
    revision = stored.revision + (stored.status = 'withdrawn')::int
where stored.status <> 'settled'

-- open_alerts --
-- Raise an alert for each episode that has none. $1 episode ids, $2 raised_at, $3 late.
-- Nobody is alerted of a rule in shadow, of a visit to a site, nor again of a stay in a fence, or outside of the
-- permitted ones, that was lost from sight and then found to go on, as over a rest: the alert before stands for it.
-- It goes on if nothing of its vehicle is stored from in between, but for a minute at either end: a position may be
-- one that cannot be trusted.
insert into alert (alert_id, state, late, raised_at)
select episode_id, 'open', $3, $2
from unnest($1::uuid[]) as given (id) join episode on episode_id = id
where mode = 'live' and rule <> 'site' and not (measures ?| array['found_inside', 'seen_after_silence'] and coalesce((
    select earlier.ended_as = 'lost' and earlier.ended_at > episode.started_at - interval '25 hours' and not exists (
        select from fix
        where fix.vehicle_id = episode.vehicle_id and flags & 1024 <> 1024
          and fix.time > earlier.ended_at + interval '1 minute' and fix.time < episode.started_at - interval '1 minute'
    )
    from episode as earlier
    where earlier.vehicle_id = episode.vehicle_id and earlier.started_at < episode.started_at
      and earlier.rule = episode.rule and earlier.mode = episode.mode and earlier.status <> 'withdrawn'
      and (earlier.measures ->> 'fence' = episode.measures ->> 'fence' or episode.rule = 'left_permitted')
    order by earlier.started_at desc limit 1
), false))
on conflict (alert_id) do nothing

-- append_feed --
-- Tell readers what changed; the last statement of a transaction, for the lock is held until COMMIT.
-- $1 alert ids, $2 changes, $3 at. Returns the newest feed id. Everybody waits for who holds the lock: its COMMIT has
-- 10 s, then the server ends its session.
with locked as materialized (
    select pg_advisory_xact_lock(hashtext('kerbsafe.alert_feed')),
           set_config('idle_in_transaction_session_timeout', '10s', true)
),
told as (
    insert into alert_feed (feed_id, at, alert_id, change, body)
    select nextval('alert_feed_id'), $3, given.alert_id, given.change, to_jsonb(readable)
    from locked, unnest($1::uuid[], $2::text[]) with ordinality as given (alert_id, change, place)
    join alert_readable as readable using (alert_id)
    order by place
    returning feed_id, at, alert_id, change, body
),
-- In the same transaction: what a channel may have to tell. Mostly there is no channel, and nothing to do.
queued as (
    insert into outbox (channel, alert_id, at, change, body)
    select channel, alert_id, at, change, body from told cross join notice_channel
    where change in ('opened', 'updated', 'closed', 'lost', 'added') and (body ->> 'severity')::int >= min_severity
       or change in ('resolved', 'reopened', 'withdrawn')
    order by feed_id
)
select max(feed_id), pg_notify('kerbsafe_alert_feed', max(feed_id)::text) from told

-- begin_segments --
-- Begin segments, and end the one before each. A segment that ends is settled again, for it has grown.
-- $1 vehicles, $2 starts.
with begun as (
    insert into segment (vehicle_id, started_at)
    select * from unnest($1::int[], $2::timestamptz[])
    on conflict do nothing
)
update segment set ended_at = next_start, settled_at = null
from (
    select vehicle_id, min(started_at) as next_start
    from unnest($1::int[], $2::timestamptz[]) as given (vehicle_id, started_at) group by 1
) as given
where segment.vehicle_id = given.vehicle_id and ended_at is null and started_at < next_start

-- end_inner_segments --
-- Of segments begun in one batch by one vehicle, end each where the next begins. $1 vehicles.
update segment set ended_at = next_start
from (
    select vehicle_id, started_at, lead(started_at) over (partition by vehicle_id order by started_at) as next_start
    from segment where vehicle_id = any($1::int[]) and ended_at is null
) as open_segment
where segment.vehicle_id = open_segment.vehicle_id and segment.started_at = open_segment.started_at
  and next_start is not null

-- save_states --
-- Checkpoint the live memory of vehicles.
-- $1 vehicles, $2 engine version, $3 batch, $4 watermarks, $5 segment starts, $6 last motions, $7 states.
insert into vehicle_state (vehicle_id, engine_version, saved_batch_id, watermark, segment_started_at,
                           last_motion_at, state)
select vehicle, $2, $3, watermark, segment, motion, state
from unnest($1::int[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::bytea[])
     as given (vehicle, watermark, segment, motion, state)
on conflict (vehicle_id) do update
set engine_version = excluded.engine_version, saved_batch_id = excluded.saved_batch_id,
    watermark = excluded.watermark, segment_started_at = excluded.segment_started_at,
    last_motion_at = excluded.last_motion_at, state = excluded.state

-- load_states --
-- All checkpoints.
select vehicle_id, engine_version, saved_batch_id, watermark, segment_started_at, state from vehicle_state

-- mark_dirty --
-- Ask the settler to judge again. $1 vehicles, $2 from, $3 until (inclusive), $4 marked_at.
insert into dirty (vehicle_id, time, until, marked_at)
select vehicle, since, until, $4
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as given (vehicle, since, until)

-- work --
-- What the settler could do: vehicles with dirty rows, or with a segment that has ended or come to rest.
-- $1 now, $2 horizon, $3 rest and horizon, $4 pause of an upload, $5 longest wait for one, as intervals;
-- $6 settle all, whatever its age, $7 vehicles to leave alone, $8 the only ones to look at (NULL: all), $9 at most.
-- Longest waiting first.
select vehicle_id, min(due) as due from (
    -- Younger than the horizon, or ahead of the clock: more may come, and the record is not read so far.
    select vehicle_id, min(marked_at) as due from dirty where $6 or until <= $1::timestamptz - $2::interval
    group by vehicle_id
    having $6 or max(marked_at) <= $1::timestamptz - $4::interval
              or min(marked_at) <= $1::timestamptz - $5::interval
    union all
    select vehicle_id, coalesce(ended_at, started_at) from segment
    left join vehicle_state using (vehicle_id)
    where settled_at is null and (
        $6
        or ended_at <= $1::timestamptz - $2::interval
        or ended_at is null and coalesce(last_motion_at, watermark, started_at) <= $1::timestamptz - $3::interval)
) as waiting
where vehicle_id <> all($7::int[]) and ($8::int[] is null or vehicle_id = any($8::int[]))
group by vehicle_id order by due, vehicle_id limit $9

-- dirty_of --
-- The dirty rows of vehicles. $1 vehicles.
select dirty_id, vehicle_id, time, until from dirty where vehicle_id = any($1::int[]) order by vehicle_id, time

-- segments_of --
-- The segments of vehicles, earliest first, and whether the last is at rest.
-- $1 vehicles, $2 now, $3 rest and horizon as an interval.
select segment.vehicle_id, started_at, ended_at, settled_at is not null as settled,
       ended_at is null and coalesce(last_motion_at, watermark, started_at) <= $2::timestamptz - $3::interval as at_rest
from segment left join vehicle_state using (vehicle_id)
where segment.vehicle_id = any($1::int[]) order by segment.vehicle_id, started_at

-- episodes_between --
-- Judged rows that begin in half-open spans, one a vehicle. $1 vehicles, $2 from, $3 until.
select episode_id, vehicle_id, rule, started_at, ended_at, ended_as, severity, peak, limit_value, limit_source,
       rulebook, measures, mode, status, settled_as
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as span (vehicle, since, till)
join episode on vehicle_id = vehicle and started_at >= since and started_at < till

-- versions --
-- Of the rows that judge half-open spans, one a vehicle: when each begins, and the transaction that wrote it.
-- A segment counts as beginning in 1970: whatever is judged of the span depends on it. $1 vehicles, $2 from,
-- $3 until, $4 rules that are not the settler's.
select vehicle, array_agg((extract(epoch from begins) * 1000000)::bigint) as begins, array_agg(writer) as writers
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as span (vehicle, since, till)
join lateral (
    select 'epoch'::timestamptz as begins, xmin::text::bigint as writer from segment
    where vehicle_id = vehicle and started_at >= since and started_at < till
    union all
    select started_at, xmin::text::bigint from episode
    where vehicle_id = vehicle and started_at >= since and started_at < till and rule <> all($4::text[])
    union all
    select entered_at, xmin::text::bigint from right_turn
    where vehicle_id = vehicle and entered_at >= since and entered_at < till
) as judged on true
group by vehicle

-- open_episodes --
-- Episodes of rules that have not ended. $1 rules.
select vehicle_id, rule, started_at, peak, measures from episode
where rule = any($1::text[]) and ended_at is null and status <> 'withdrawn' order by started_at

-- refused_arrivals --
-- Of which vehicles something was refused. $1 vehicles, $2 received from, $3 received until.
select received_at, vehicle_id, reason from reject
where vehicle_id = any($1::int[]) and received_at >= $2 and received_at < $3 order by received_at, vehicle_id, reason

-- ongoing_live --
-- What the hot path has said that goes on. $1 rules that it follows by themselves.
select episode_id, vehicle_id, rule, started_at, coalesce(measures ->> 'fence', '') as about from episode
where ended_at is null and status = 'provisional' and settled_as is null and rule <> all($1::text[])

-- lose_episodes --
-- End episodes for want of data. $1 ids, $2 ends, $3 decided_at.
update episode set ended_at = given.till, ended_as = 'lost', decided_at = $3
from unnest($1::uuid[], $2::timestamptz[]) as given (id, till)
where episode_id = id
returning episode_id

-- settle_episodes --
-- Write settled judgements over what is stored. Columns as in live_episodes, then $15 decided_at,
-- $16 status, $17 settled_as.
insert into episode as stored (episode_id, vehicle_id, company_id, rule, mode, rulebook, started_at, ended_at,
    ended_as, severity, peak, limit_value, limit_source, measures, status, settled_as, decided_at, settled_at)
select id, vehicle, company, rule, mode, rulebook, started, ended, how, severity, peak, lim, source,
       measures::jsonb, $16, verdict, $15, $15
from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
            $8::text[], $9::smallint[], $10::float8[], $11::float8[], $12::text[], $13::text[],
            $14::text[], $17::text[])
     as given (id, vehicle, company, rule, rulebook, started, ended, how, severity, peak, lim, source, measures,
               mode, verdict)
order by vehicle, rule, started
on conflict (episode_id) do update
set rulebook = excluded.rulebook, started_at = excluded.started_at, ended_at = excluded.ended_at,
    ended_as = excluded.ended_as, severity = excluded.severity, peak = excluded.peak,
    limit_value = excluded.limit_value, limit_source = excluded.limit_source, measures = excluded.measures,
    status = excluded.status, settled_as = excluded.settled_as, settled_at = excluded.settled_at,
    merged_into = null,
    revision = stored.revision + (stored.status <> 'provisional')::int

-- follow_added --
-- Mark vehicles on the move of which the settler has added something that goes on: the hot path does not know of it.
-- $1 vehicles, $2 until, and marked at.
insert into dirty (vehicle_id, time, until, marked_at)
select vehicle_id, min(started_at), $2, $2 from episode
where vehicle_id = any($1::int[]) and ended_at is null and status = 'provisional' and settled_as = 'added'
group by vehicle_id
returning vehicle_id

-- withdraw_episodes --
-- Withdraw what the complete record does not show. $1 ids, $2 merged_into (NULL none), $3 at.
update episode set status = 'withdrawn', settled_as = 'withdrawn', merged_into = given.merged, settled_at = $3,
    ended_at = coalesce(ended_at, started_at), ended_as = coalesce(ended_as, 'lost'),
    revision = revision + (status = 'settled')::int
from unnest($1::uuid[], $2::uuid[]) as given (id, merged)
where episode_id = given.id

-- withdraw_alerts --
-- Withdraw alerts, never over a person's disposition: there only say that the evidence changed. $1 ids, $2 at.
with withdrawn as (
    update alert set state = 'withdrawn', proposed = null, actions = actions + 1
    where alert_id = any($1::uuid[]) and state in ('open', 'acknowledged') returning alert_id, actions
),
recorded as (
    insert into alert_action (alert_id, version, at, actor_kind, actor, action)
    select alert_id, actions, $2, 'system', 'settler', 'withdrawn' from withdrawn
)
update alert set evidence_changed = true where alert_id = any($1::uuid[]) and state = 'resolved'

-- revive_alerts --
-- Open alerts again whose episode is judged after all. $1 ids, $2 at.
with revived as (
    update alert set state = 'open', late = true, actions = actions + 1
    where alert_id = any($1::uuid[]) and state = 'withdrawn' returning alert_id, actions
)
insert into alert_action (alert_id, version, at, actor_kind, actor, action)
select alert_id, actions, $2, 'system', 'settler', 'revived' from revived

-- mark_evidence_changed --
-- Tell whoever resolved an alert that it is now judged differently. $1 ids.
update alert set evidence_changed = true where alert_id = any($1::uuid[]) and state = 'resolved'

-- settled_segments --
-- Replace the segments that begin in half-open spans, one a vehicle, by settled ones.
-- $1 vehicles, $2 from, $3 until; $4 vehicles, $5 starts, $6 ends (NULL: the last); $7 settled_at.
with given as (
    select * from unnest($4::int[], $5::timestamptz[], $6::timestamptz[]) as given (vehicle_id, started_at, ended_at)
),
gone as (
    delete from segment using unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as span (vehicle, since, till)
    where segment.vehicle_id = vehicle and segment.started_at >= since and segment.started_at < till
      and not exists (select from given where given.vehicle_id = segment.vehicle_id
                                          and given.started_at = segment.started_at)
)
insert into segment (vehicle_id, started_at, ended_at, settled_at)
select vehicle_id, started_at, ended_at, $7 from given order by vehicle_id, started_at
on conflict (vehicle_id, started_at) do update set ended_at = excluded.ended_at, settled_at = excluded.settled_at

-- keep_segments --
-- Record the segments that follow settled ones, unless they are known. $1 vehicles, $2 starts.
insert into segment (vehicle_id, started_at)
select * from unnest($1::int[], $2::timestamptz[]) order by 1, 2 on conflict do nothing

-- clean --
-- Delete exactly the dirty rows that were read. $1 ids.
delete from dirty where dirty_id = any($1::bigint[])

-- backlog --
-- What waits for the settler, and of it what is set aside. $1 now, $2 horizon, $3 vehicles that are set aside.
select count(distinct vehicle_id) as vehicles,
       coalesce(extract(epoch from $1::timestamptz - min(due)), 0)::float8 as oldest_s,
       count(distinct vehicle_id) filter (where vehicle_id = any($3::int[])) as aside,
       coalesce(extract(epoch from $1::timestamptz - min(due) filter (where vehicle_id = any($3::int[]))), 0)::float8
       as aside_oldest_s
from (
    select vehicle_id, min(marked_at) as due from dirty where until <= $1::timestamptz - $2::interval group by 1
    union all
    select vehicle_id, ended_at from segment
    where settled_at is null and ended_at <= $1::timestamptz - $2::interval
) as waiting

-- purge_feed --
-- Forget what readers were told more than 7 days ago. $1 now.
delete from alert_feed where at < $1::timestamptz - interval '7 days'

-- purge_batches --
-- Forget the ledger of batches, with their rejects, after 36 days. $1 now.
delete from batch where received_at < $1::timestamptz - interval '36 days'

-- purge_shadows --
-- Forget what rules in shadow found, after 90 days. $1 now.
delete from episode where mode <> 'live' and started_at < $1::timestamptz - interval '90 days' and not exists (
    select from episode as merged
    where merged.merged_into = episode.episode_id and merged.started_at >= $1::timestamptz - interval '90 days'
)

-- list_alerts --
-- Alerts as people read them, newest first. $1 rule (NULL any), $2 state (NULL any), $3 vehicle (NULL any),
-- $4 at most.
select to_jsonb(alert_readable) as alert from alert_readable
where ($1::text is null or rule = $1) and ($2::text is null or state = $2) and ($3::text is null or vehicle = $3)
order by started_at desc, alert_id limit $4

-- feed_after --
-- The feed from an id on, in commit order. $1 last id seen, $2 at most.
select feed_id, at, change, body from alert_feed where feed_id > $1 order by feed_id limit $2

-- feed_end --
-- The newest feed id; 0 if nothing was ever told.
select coalesce(max(feed_id), 0) from alert_feed

-- tally --
-- How many alerts were raised since a moment, by what settling made of them. $1 since.
select coalesce(settled_as, 'provisional') as verdict, count(*)
from alert join episode on episode_id = alert_id where raised_at >= $1 group by 1

-- unfinished --
-- Alerts that are open or acknowledged, and how long the oldest open one that is not late has waited. $1 now.
select rule, severity, state, count(*) as alerts,
       coalesce(extract(epoch from $1::timestamptz - min(raised_at) filter (where state = 'open' and not late)), 0)::float8
       as waited_s
from alert join episode on episode_id = alert_id
where state in ('open', 'acknowledged') group by rule, severity, state

-- store --
-- How many vehicles are registered, and how large the database is.
select (select count(*) from vehicle) as vehicles, pg_database_size(current_database()) as bytes

-- transport_gaps --
-- When data may have been lost on the way to us. $1 from, $2 until.
select from_at, until_at from transport_gap where until_at >= $1 and from_at <= $2 order by from_at
