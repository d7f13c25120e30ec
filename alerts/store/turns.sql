-- write_turns --
-- Insert or renew turns. What is settled is renewed by the settler alone; what was withdrawn revives.
-- $1 rows of right_turn, as a JSON array of objects.
insert into right_turn as stored
select given.* from json_populate_recordset(null::right_turn, $1::json) as given order by vehicle_id, entered_at
on conflict (turn_id) do update
set rulebook = excluded.rulebook, kind = excluded.kind, entered_at = excluded.entered_at, exited_at = excluded.exited_at,
    lat_udeg = excluded.lat_udeg, lon_udeg = excluded.lon_udeg,
    entry_course_deg = excluded.entry_course_deg, course_change_deg = excluded.course_change_deg,
    entry_kmh = excluded.entry_kmh, min_kmh = excluded.min_kmh, max_kmh = excluded.max_kmh,
    path_m = excluded.path_m, radius_m = excluded.radius_m, lateral_g = excluded.lateral_g,
    approach_kmh = excluded.approach_kmh, approach_stood_s = excluded.approach_stood_s,
    interval_s = excluded.interval_s, longest_s = excluded.longest_s, indicator = excluded.indicator,
    loaded = excluded.loaded, junction_id = excluded.junction_id, stop = excluded.stop, reason = excluded.reason,
    confidence = excluded.confidence, armed = excluded.armed, conflicts = excluded.conflicts,
    outcome = excluded.outcome,
    status = excluded.status, settled_as = excluded.settled_as, settled_at = excluded.settled_at,
    revision = stored.revision + case when excluded.status = 'settled' then stored.status <> 'provisional'
                                      else stored.status = 'withdrawn' end::int
where stored.status <> 'settled' or excluded.status = 'settled'

-- turns_between --
-- Turns that were entered in half-open spans, one a vehicle. $1 vehicles, $2 from, $3 until.
select right_turn.* from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as span (vehicle, since, till)
join right_turn on vehicle_id = vehicle and entered_at >= since and entered_at < till

-- recent_turns --
-- Turns that ended in a span of time, as they stand. $1 from, $2 until.
select * from right_turn where exited_at >= $1 and entered_at < $2 and entered_at >= $1 - interval '10 minutes'
  and status <> 'withdrawn' order by vehicle_id, entered_at

-- recent_conflicts --
-- Conflicts that began in a span of time, as they stand. $1 from, $2 until.
select vehicle_id, started_at, ended_at from episode
where rule = 'conflict' and status <> 'withdrawn' and started_at >= $1 and started_at < $2
  and ended_at is not null
order by vehicle_id, started_at

-- withdraw_turns --
-- Withdraw what the complete record does not show. $1 ids, $2 at.
update right_turn set status = 'withdrawn', settled_as = 'withdrawn', settled_at = $2,
    revision = revision + (status = 'settled')::int
where turn_id = any($1::uuid[])

-- watched_turns --
-- Right turns of a span of time, without bends, as they stand, that say who watched them. $1 from, $2 until.
select vehicle_id, vehicle.code as vehicle, lat_udeg, lon_udeg, reason is null as evaluable, armed, conflicts
from right_turn join vehicle using (vehicle_id)
where entered_at >= $1 and entered_at < $2 and status <> 'withdrawn' and conflicts is not null and kind = 'turn'
order by vehicle.code, entered_at
