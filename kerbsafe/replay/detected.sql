-- episodes_between --
-- What was judged, settled or still provisional, of all vehicles: episodes, right turns and bends. $1 from, $2 to: when
-- it began.
select episode.rule as kind, vehicle.code as vehicle,
       extract(epoch from started_at)::float8 as started_s,
       extract(epoch from ended_at)::float8 as ended_s,
       peak, limit_value as "limit", limit_source, status
from episode join vehicle using (vehicle_id)
where mode = 'live' and status <> 'withdrawn' and started_at between $1 and $2
union all
select case right_turn.kind when 'turn' then 'right_turn' else 'bend' end, vehicle.code, extract(epoch from entered_at)::float8, extract(epoch from exited_at)::float8,
       max_kmh, null, null, status
from right_turn join vehicle using (vehicle_id)
where status <> 'withdrawn' and entered_at between $1 and $2
order by started_s, vehicle, kind
