-- lock_days --
-- One process closes days at a time; kept until it is given back, or the session ends.
select pg_advisory_lock(hashtextextended('kerbsafe days', 0));

-- unlock_days --
-- Give that back.
select pg_advisory_unlock(hashtextextended('kerbsafe days', 0));

-- vehicles_of_day --
-- What is known of each vehicle of a day before anything is measured: those registered by then, those heard, and those
-- closed. $1 day, $2 beginning, $3 end, $4 margin on either side, $5 vehicles (NULL: all), $6 also those closed that nothing
-- has touched, $7 version of the measures: what was measured by another is measured again.
select vehicle.vehicle_id, coalesce(standing.measure_version = $7, false) as closed,
       coalesce(touched.ids, '{}') as touches, coalesce(touched.remeasure, false) as remeasure,
       exists (
           select from dirty
           where dirty.vehicle_id = vehicle.vehicle_id and time < $3::timestamptz + $4::interval
             and until >= $2::timestamptz - $4::interval
       ) as late_data,
       exists (
           select from segment
           where segment.vehicle_id = vehicle.vehicle_id and settled_at is null and started_at < $3
             and (ended_at is null or ended_at > $2)
       ) as unsettled
from vehicle
left join vehicle_day as standing
       on standing.day = $1::date and standing.vehicle_id = vehicle.vehicle_id and standing.known_to is null
left join (
    select vehicle_id, array_agg(touch_id order by touch_id) as ids, bool_or(remeasure) as remeasure
    from day_touched where day = $1 group by vehicle_id
) as touched on touched.vehicle_id = vehicle.vehicle_id
where ($5::int[] is null or vehicle.vehicle_id = any($5))
  and (standing.vehicle_id is null and (vehicle.registered_at < $3 or exists (
           select from fix where fix.vehicle_id = vehicle.vehicle_id and time >= $2 and time < $3))
       or standing.vehicle_id is not null and (touched.ids is not null or $6 or standing.measure_version <> $7))
order by vehicle.vehicle_id;

-- fixes_of_vehicle --
-- What a day is measured from, by time. $1 vehicle, $2 from, $3 until.
select vehicle_id, time, lat_udeg, lon_udeg, speed_dkmh, odometer_hm, flags
from fix where vehicle_id = $1::int and time >= $2::timestamptz and time < $3::timestamptz order by time;

-- stored_days --
-- Whether the fixes of all of some UTC days are here. $1 first, $2 last.
select (select count(*) from days_of('fix') as day where day between $1::date and $2::date) = $2::date - $1::date + 1;

-- settled_turns --
-- Settled right turns entered in a span, in numbers. $1 vehicles, $2 from, $3 until; names of $4 kinds, $5 reasons and
-- $6 stops, the first of each being number 0.
select vehicle_id, entered_at as entered_us, lat_udeg, lon_udeg, radius_m::float8, max_kmh::float8,
       (array_position($4::text[], kind) - 1)::int2 as kind,
       (array_position($5::text[], coalesce(reason, 'none')) - 1)::int2 as reason,
       (array_position($6::text[], coalesce(stop, 'not_asked')) - 1)::int2 as stop,
       coalesce(junction_id, -1) as junction, coalesce(armed::int, -1)::int2 as armed, coalesce(conflicts, -1) as conflicts
from right_turn
where vehicle_id = any($1::int[]) and entered_at >= $2::timestamptz and entered_at < $3::timestamptz
  and status = 'settled'
order by vehicle_id, entered_at;

-- begun_episodes --
-- Episodes that began in a span and are settled, or raised an alert that stands; with the position of the vehicle then.
-- $1 vehicles, $2 from, $3 until, $4 names of rules by number, $5 rules that are counted, $6 how long before a position
-- may be.
select episode.vehicle_id, started_at as began_us,
       coalesce((extract(epoch from ended_at - started_at) * 1000000)::bigint, -1) as lasted_us,
       (array_position($4::text[], rule) - 1)::int2 as rule, (status = 'settled')::int::int2 as settled,
       (case when alert.state is null or alert.state = 'withdrawn' then 0 when alert.state = 'resolved' then 2 else 1 end)::int2
       as alert,
       coalesce(at.lat_udeg, 0) as lat_udeg, coalesce(at.lon_udeg, 0) as lon_udeg
from episode
left join alert on alert_id = episode_id
left join lateral (
    select lat_udeg, lon_udeg from fix
    where fix.vehicle_id = episode.vehicle_id and time <= started_at and time > started_at - $6::interval
      and flags & 1024 = 0
    order by time desc limit 1
) as at on true
where episode.vehicle_id = any($1::int[]) and started_at >= $2::timestamptz and started_at < $3::timestamptz
  and mode = 'live' and status <> 'withdrawn'
  and (status = 'settled' and rule = any($5::text[]) or alert.state is not null)
order by episode.vehicle_id, started_at, episode_id;

-- standing_days --
-- The versions that hold of vehicles' days. $1 day, $2 vehicles.
select * from vehicle_day where day = $1 and vehicle_id = any($2::int[]) and known_to is null;

-- standing_counties --
-- What of these lay in counties. $1 day, $2 vehicles.
select county.* from vehicle_day_county as county
join vehicle_day using (vehicle_id, day, known_from)
where day = $1 and vehicle_id = any($2::int[]) and known_to is null;

-- close_versions --
-- Say that versions hold no longer. $1 day, $2 vehicles, $3 from when on.
update vehicle_day set known_to = $3 where day = $1 and vehicle_id = any($2::int[]) and known_to is null;

-- clean_touches --
-- Delete exactly the touches that were read. $1 ids.
delete from day_touched where touch_id = any($1::bigint[]);

-- mark_month --
-- The facts of a month are to be written again. $1 its first day.
insert into month_due values ($1) on conflict do nothing;

-- months_due --
-- Months whose facts are to be written, of those that begin up to a day. $1 that day.
select month from month_due where month <= $1 order by month;

-- month_done --
-- They are. $1 month.
delete from month_due where month = $1;

-- missing_days --
-- Vehicles with days that belong to a span and are not closed, and whose they were. $1 first day, $2 last day, $3 version
-- of the measures.
select vehicle.code as vehicle, count(*) as days,
       array_agg(distinct company.code) filter (where company.code is not null) as companies
from vehicle
cross join lateral (
    select day::date, (day::timestamp - interval '8 hours') at time zone 'UTC' as begins
    from generate_series($1::date, $2::date, '1 day') as day
) as civil
left join lateral (
    select code from vehicle_version join company using (company_id)
    where vehicle_version.vehicle_id = vehicle.vehicle_id
    order by valid_from <= begins desc, case when valid_from <= begins then valid_from end desc, valid_from limit 1
) as company on true
where not exists (
        select from vehicle_day
        where vehicle_day.vehicle_id = vehicle.vehicle_id and vehicle_day.day = civil.day and known_to is null
          and measure_version = $3)
  and (registered_at < begins + interval '1 day' or exists (
        select from fix where fix.vehicle_id = vehicle.vehicle_id and time >= begins and time < begins + interval '1 day'))
group by vehicle.code;

-- sums --
-- Sums of the closed vehicle-days of a span: of the city, of each company and of each vehicle. $1 first day, $2 last day.
select case when grouping(vehicle.code) = 0 then 'vehicle:' || vehicle.code
            when grouping(company.code) = 0 then 'company:' || company.code else 'city' end as scope,
       count(*) as days, count(*) filter (where fixes > 0) as online,
       count(*) filter (where distance_mm + unseen_mm > 0) as driven,
       count(distinct vehicle_day.vehicle_id) filter (where jumps > 0) as drifting,
       coalesce(sum(fixes), 0)::bigint as fixes, coalesce(sum(fixes_valid), 0)::bigint as fixes_valid,
       coalesce(sum(jumps), 0)::bigint as jumps, coalesce(sum(silent_us), 0)::bigint as silent_us,
       coalesce(sum(unseen_us), 0)::bigint as unseen_us, coalesce(sum(unseen_mm), 0)::bigint as unseen_mm,
       coalesce(sum(distance_mm), 0)::bigint as distance_mm, coalesce(sum(fine_mm), 0)::bigint as fine_mm,
       coalesce(sum(driven_us), 0)::bigint as driven_us, coalesce(sum(stood_us), 0)::bigint as stood_us,
       coalesce(sum(trips), 0)::bigint as trips, coalesce(sum(right_turns), 0)::bigint as right_turns,
       coalesce(sum(evaluable), 0)::bigint as evaluable, coalesce(sum(looked), 0)::bigint as looked,
       coalesce(sum(armed), 0)::bigint as armed, coalesce(sum(conflicts), 0)::bigint as conflicts,
       coalesce(sum(must_stop), 0)::bigint as must_stop, coalesce(sum(not_stopped), 0)::bigint as not_stopped,
       coalesce(sum(too_fast), 0)::bigint as too_fast, coalesce(sum(bends), 0)::bigint as bends,
       coalesce(sum(speedings), 0)::bigint as speedings, coalesce(sum(fatigues), 0)::bigint as fatigues,
       coalesce(sum(fatigue_us), 0)::bigint as fatigue_us,
       coalesce(sum(forbidden_entries), 0)::bigint as forbidden_entries,
       coalesce(sum(permitted_left), 0)::bigint as permitted_left, coalesce(sum(alerts), 0)::bigint as alerts,
       coalesce(sum(alerts_resolved), 0)::bigint as alerts_resolved
from vehicle_day
join vehicle using (vehicle_id)
left join company using (company_id)
where day between $1 and $2 and known_to is null
group by grouping sets ((), (company.code), (vehicle.code))
having grouping(company.code) = 1 or company.code is not null;

-- county_sums --
-- Sums of what of the closed vehicle-days of a span lay in each county; all that were counties by then. $1 first day,
-- $2 last day.
select 'county:' || fence.code as scope,
       coalesce(sum(distance_mm), 0)::bigint as distance_mm, coalesce(sum(fine_mm), 0)::bigint as fine_mm,
       coalesce(sum(driven_us), 0)::bigint as driven_us, coalesce(sum(stood_us), 0)::bigint as stood_us,
       coalesce(sum(trips), 0)::bigint as trips, coalesce(sum(right_turns), 0)::bigint as right_turns,
       coalesce(sum(evaluable), 0)::bigint as evaluable, coalesce(sum(looked), 0)::bigint as looked,
       coalesce(sum(armed), 0)::bigint as armed, coalesce(sum(conflicts), 0)::bigint as conflicts,
       coalesce(sum(must_stop), 0)::bigint as must_stop, coalesce(sum(not_stopped), 0)::bigint as not_stopped,
       coalesce(sum(too_fast), 0)::bigint as too_fast, coalesce(sum(bends), 0)::bigint as bends,
       coalesce(sum(speedings), 0)::bigint as speedings, coalesce(sum(fatigues), 0)::bigint as fatigues,
       coalesce(sum(fatigue_us), 0)::bigint as fatigue_us,
       coalesce(sum(forbidden_entries), 0)::bigint as forbidden_entries,
       coalesce(sum(permitted_left), 0)::bigint as permitted_left, coalesce(sum(alerts), 0)::bigint as alerts,
       coalesce(sum(alerts_resolved), 0)::bigint as alerts_resolved
from fence
left join (
    select county.* from vehicle_day_county as county
    join vehicle_day using (vehicle_id, day, known_from)
    where day between $1 and $2 and known_to is null
) as part on part.county_id = fence.fence_id
where part.county_id is not null or exists (
    select from fence_version
    where fence_version.fence_id = fence.fence_id and kind = 'district' and not retired
      and valid_from < ($2::date + 1)::timestamp at time zone 'UTC')
group by fence.code;

-- begin_run --
-- The worker begins a night. $1 at.
insert into day_run (began_at) values ($1) returning run_id;

-- end_run --
-- It has ended. $1 run, $2 at, $3 vehicle-days closed, $4 why it was broken off, or nothing.
update day_run set ended_at = $2, vehicle_days = $3, failure = $4 where run_id = $1;

-- last_run --
-- The night that began last.
select began_at, ended_at, vehicle_days, failure from day_run order by run_id desc limit 1;

-- closed_of_day --
-- How many vehicles of a day are closed. $1 day.
select count(*) from vehicle_day where day = $1 and known_to is null;
