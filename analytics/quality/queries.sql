-- vehicles_measured --
-- What is counted of each vehicle of the registry in a half-open span, with its company, county and terminal model.
-- Reads every fix of the span: seconds a day and a hundred vehicles. $1 from, $2 until.
with filed as (
    select distinct on (vehicle_id) vehicle_id, company_id
    from vehicle_version where valid_from < $2 order by vehicle_id, valid_from desc
), judged as (
    select vehicle_id,
           count(*) filter (where rule = 'speeding' and status = 'settled') as speedings,
           coalesce(sum(extract(epoch from ended_at - started_at))
               filter (where rule = 'fatigue' and status = 'settled'), 0)::float8 as fatigue_s,
           count(*) filter (where rule in ('speeding', 'fatigue') and status = 'provisional') as unsettled,
           count(*) filter (where rule = 'clock_drift') as clock_drifts,
           count(*) filter (where rule = 'speed_disagrees') as speed_faults,
           count(*) filter (where state in ('open', 'acknowledged', 'resolved', 'expired')) as alerts,
           count(*) filter (where state = 'resolved') as handled
    from episode left join alert on alert_id = episode_id
    where started_at >= $1 and started_at < $2 and mode = 'live' and episode.status <> 'withdrawn'
    group by vehicle_id
), turned as (
    select vehicle_id, count(*) as turns,
           count(*) filter (where reason = 'coarse') as coarse,
           count(*) filter (where reason = 'gap') as gap,
           count(*) filter (where reason = 'speed_disagrees') as speed_disagrees,
           count(*) filter (where reason = 'transport_gap') as transport_gap
    from right_turn
    where entered_at >= $1 and entered_at < $2 and status = 'settled' and kind = 'turn'
    group by vehicle_id
)
select vehicle.code as vehicle, coalesce(company.code, '') as company, coalesce(company.district, '') as county,
       coalesce(unit.model, '') as model, 1 as filed,
       (seen.fixes > 0 or exists (select from vehicle_state where vehicle_state.vehicle_id = filed.vehicle_id)
        or exists (select from fix where fix.vehicle_id = filed.vehicle_id and time < $1))::int as connected,
       (seen.fixes > 0)::int as online, seen.fixes, seen.qualified, seen.jumps,
       coalesce(alerts, 0) as alerts, coalesce(handled, 0) as handled, coalesce(speedings, 0) as speedings,
       coalesce(fatigue_s, 0) as fatigue_s, coalesce(unsettled, 0) as unsettled,
       coalesce(turns, 0) as turns, coalesce(coarse, 0) as coarse, coalesce(gap, 0) as gap,
       coalesce(speed_disagrees, 0) as speed_disagrees, coalesce(transport_gap, 0) as transport_gap,
       coalesce(clock_drifts, 0) as clock_drifts, coalesce(speed_faults, 0) as speed_faults
from filed
join vehicle using (vehicle_id)
left join company using (company_id)
left join judged using (vehicle_id)
left join turned using (vehicle_id)
left join lateral (
    select string_agg(distinct model, ', ') as model from device
    where device.vehicle_id = filed.vehicle_id and revoked_at is null and model <> ''
) as unit on true
cross join lateral (
    select count(*) as fixes,
           count(*) filter (where fit and not jumped) as qualified,
           count(*) filter (where jumped) as jumps
    from (
        select fit,
               -- Farther than 160 km/h leads, and than three times its own speed: a jump (docs/data-quality.md).
               coalesce(fit and before_fit and elapsed_s <= 120
                   and apart_m * 3.6 > 160 * elapsed_s
                   and apart_m * 3.6 > 0.3 * greatest(speed_dkmh, 0) * elapsed_s, false) as jumped
        from (
            select fit, speed_dkmh,
                   lag(fit) over own as before_fit,
                   extract(epoch from time - lag(time) over own) as elapsed_s,
                   0.111195 * sqrt(
                       (lat_udeg - lag(lat_udeg) over own)::float8 ^ 2
                       + ((lon_udeg - lag(lon_udeg) over own) * cos(radians(lat_udeg / 1e6))) ^ 2) as apart_m
            from (
                select time, lat_udeg, lon_udeg, speed_dkmh,
                       flags & 1024 = 0 and (lat_udeg <> 0 or lon_udeg <> 0) as fit
                from fix where fix.vehicle_id = filed.vehicle_id and time >= $1 and time < $2
            ) as told
            window own as (order by time)
        ) as stepped
    ) as judged_fix
) as seen
order by vehicle.code
