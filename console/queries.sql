-- alerts_newest --
-- Alerts by start, newest first. Every filter is NULL for "any".
-- $1 states, $2 rules, $3 least severity, $4 vehicle, $5 company, $6 started from, $7 started before, $8 ongoing,
-- $9 late, $10 and $11 start and id of the alert that the page begins behind, $12 at most.
select alert_id, page.key, to_jsonb(alert_readable)::text as alert
from (
    select alert_id, started_at as key
    from episode join alert on alert_id = episode_id
    where ($1::text[] is null or state = any($1))
      and ($2::text[] is null or rule = any($2))
      and ($3::int is null or severity >= $3)
      and ($4::text is null or vehicle_id = (select vehicle_id from vehicle where code = $4))
      and ($5::text is null or company_id = (select company_id from company where code = $5))
      and ($6::timestamptz is null or started_at >= $6)
      and ($7::timestamptz is null or started_at < $7)
      and ($8::boolean is null or $8 and ended_at is null or not $8 and ended_at is not null)
      and ($9::boolean is null or late = $9)
      and ($10::timestamptz is null or started_at <= $10 and (started_at, alert_id) < ($10, $11::uuid))
    order by started_at desc, alert_id desc limit $12
) as page
join alert_readable using (alert_id)
order by page.key desc, alert_id desc

-- alerts_priority --
-- Alerts newest and worst first: a step of severity counts as much as $13 of time. Parameters as in alerts_newest;
-- $10 is that sum of the alert that the page begins behind. Each severity is a walk of its own down its index, which
-- the comparison and the order are written for: with `severity = level` the planner walks down all starts.
select alert_id, page.key, to_jsonb(alert_readable)::text as alert
from (
    select of_level.*
    from generate_series(1, 4) as level
    cross join lateral (
        select alert_id, started_at + level * $13::interval as key
        from episode join alert on alert_id = episode_id
        where severity >= level
          and (severity, started_at) <= (level, coalesce($10::timestamptz - level * $13::interval, 'infinity'))
          and ($10::timestamptz is null
               or (started_at, alert_id) < ($10::timestamptz - level * $13::interval, $11::uuid))
          and ($1::text[] is null or state = any($1))
          and ($2::text[] is null or rule = any($2))
          and ($3::int is null or severity >= $3)
          and ($4::text is null or vehicle_id = (select vehicle_id from vehicle where code = $4))
          and ($5::text is null or company_id = (select company_id from company where code = $5))
          and ($6::timestamptz is null or started_at >= $6)
          and ($7::timestamptz is null or started_at < $7)
          and ($8::boolean is null or $8 and ended_at is null or not $8 and ended_at is not null)
          and ($9::boolean is null or late = $9)
        order by severity desc, started_at desc, alert_id desc limit $12
    ) as of_level
    order by key desc, alert_id desc limit $12
) as page
join alert_readable using (alert_id)
order by page.key desc, alert_id desc

-- alerts_unfinished --
-- Alerts of these states that nobody has dealt with yet, in either order: $13 is no time for newest first. They are few
-- of all that is kept and may be far apart: found by what they are, not by walking down the starts. Parameters as in
-- alerts_priority.
with unfinished as materialized (
    select alert_id, state, late from alert where state in ('open', 'acknowledged') and state = any($1)
)
select alert_id, page.key, to_jsonb(alert_readable)::text as alert
from (
    select alert_id, started_at + severity * $13::interval as key
    from unfinished
    cross join lateral (select * from episode where episode_id = alert_id offset 0) as of_alert
    where ($10::timestamptz is null or (started_at + severity * $13::interval, alert_id) < ($10, $11::uuid))
      and ($2::text[] is null or rule = any($2))
      and ($3::int is null or severity >= $3)
      and ($4::text is null or vehicle_id = (select vehicle_id from vehicle where code = $4))
      and ($5::text is null or company_id = (select company_id from company where code = $5))
      and ($6::timestamptz is null or started_at >= $6)
      and ($7::timestamptz is null or started_at < $7)
      and ($8::boolean is null or $8 and ended_at is null or not $8 and ended_at is not null)
      and ($9::boolean is null or late = $9)
    order by key desc, alert_id desc limit $12
) as page
join alert_readable using (alert_id)
order by page.key desc, alert_id desc

-- unfinished_are_at_most --
-- Whether no more than $2 alerts are in these states, of those that nobody has dealt with yet. $1 states.
select count(*) <= $2 from (
    select from alert where state in ('open', 'acknowledged') and state = any($1::text[]) limit $2::bigint + 1
) as unfinished

-- alerts_total --
-- How many alerts there are, counted up to $10. Filters $1 to $9 as in alerts_newest.
select count(*) from (
    select from alert join episode on episode_id = alert_id
    where ($1::text[] is null or state = any($1))
      and ($2::text[] is null or rule = any($2))
      and ($3::int is null or severity >= $3)
      and ($4::text is null or vehicle_id = (select vehicle_id from vehicle where code = $4))
      and ($5::text is null or company_id = (select company_id from company where code = $5))
      and ($6::timestamptz is null or started_at >= $6)
      and ($7::timestamptz is null or started_at < $7)
      and ($8::boolean is null or $8 and ended_at is null or not $8 and ended_at is not null)
      and ($9::boolean is null or late = $9)
    limit $10
) as counted

-- find_alert --
-- One alert as people read it. $1 id.
select to_jsonb(alert_readable)::text from alert_readable where alert_id = $1

-- zones_of_alert --
-- The speed zones with the limit that ruled an alert, in every version of its time; and the alert's span and peak.
-- Nothing unless a zone ruled. $1 id, $2 until when it lasts if it has not ended.
select episode.vehicle_id, episode.started_at, coalesce(episode.ended_at, $2) as ended_at, episode.peak,
       limit_value, fence_id, code, valid_from, kind, name, geometry::text as geometry, limit_kmh, schedule, max_dwell_s, retired
from episode
join fence_version on exists (
    select from fence_version as zone
    where zone.fence_id = fence_version.fence_id and zone.kind = 'speed_zone' and zone.limit_kmh = limit_value)
join fence using (fence_id)
where episode_id = $1 and limit_source = 'zone' and valid_from <= coalesce(episode.ended_at, $2)
order by fence_id, valid_from

-- find_rulebook --
-- One version of the rulebook as JSON. $1 version.
select json_build_object('version', version, 'valid_from', valid_from, 'document', document)::text
from rulebook where version = $1

-- fences --
-- The fences in force at $1 as a GeoJSON FeatureCollection, WGS 84.
select json_build_object('type', 'FeatureCollection', 'features', coalesce(json_agg(feature order by code), '[]'))::text
from (
    select distinct on (fence_id) code, retired, json_build_object(
        'type', 'Feature', 'geometry', geometry, 'properties', json_build_object(
            'code', code, 'kind', kind, 'name', name, 'limit_kmh', limit_kmh, 'schedule', schedule,
            'max_dwell_s', max_dwell_s)) as feature
    from fence join fence_version using (fence_id)
    where valid_from <= $1
    order by fence_id, valid_from desc
) as in_force
where not retired

-- vehicles_now --
-- Every vehicle with the facts in force at $1.
select distinct on (vehicle.code) vehicle.vehicle_id, vehicle.code, plate, company.code as company,
       company.name as company_name, kind, limit_kmh
from vehicle join vehicle_version using (vehicle_id) join company using (company_id)
where valid_from <= $1
order by vehicle.code, valid_from desc

-- people --
-- Who drives a vehicle, who runs it, and their telephones; the first version also holds for every time before it.
-- $1 vehicle, $2 at.
select plate, company.code as company, company.name as company_name, company.phone as company_phone,
       driver.code as driver, driver.name as driver_name, driver.phone as driver_phone
from vehicle join vehicle_version using (vehicle_id) join company using (company_id)
left join driver using (driver_id)
where vehicle_id = $1
order by valid_from > $2, case when valid_from > $2 then valid_from end, valid_from desc
limit 1

-- look --
-- What tells cheaply whether anything is new: the registry's revision, and the newest batch and when it came.
select (select revision from registry_revision) as revision, newest.batch_id, newest.received_at
from (select) as one left join (
    select batch_id, received_at from batch order by batch_id desc limit 1
) as newest on true

-- newest_positions --
-- The newest fix with a position of each vehicle in ($2, $3], packed big-endian: vehicle int4, microseconds since
-- 2000 int8, latitude and longitude int4 micro-degrees, speed int2, course int2. One probe of the key a vehicle:
-- "= 0" of the flag the planner takes for rare, and would sort all fixes of each. $1 vehicles, $2 after, $3 until.
select string_agg(
    int4send(asked.vehicle_id) || timestamptz_send(newest.time) || int4send(lat_udeg) || int4send(lon_udeg)
    || int2send(speed_dkmh) || int2send(course_deg), ''::bytea)
from unnest($1::int[]) as asked (vehicle_id)
cross join lateral (
    select fix.time, lat_udeg, lon_udeg, speed_dkmh, course_deg from fix
    where fix.vehicle_id = asked.vehicle_id and fix.time > $2 and fix.time <= $3 and flags & 1024 <> 1024
    order by fix.time desc limit 1
) as newest

-- not_watched --
-- Vehicles that report and cannot be judged live at this moment.
select vehicle_id from episode
where rule = 'not_watched_live' and mode = 'live' and ended_at is null and status <> 'withdrawn'

-- rejected_lately --
-- Why the newest reject of each vehicle was none to take. $1 received since.
select distinct on (vehicle_id) vehicle_id, reason from reject
where received_at > $1 and vehicle_id is not null order by vehicle_id, received_at desc

-- feed_from --
-- The feed from an id on, in commit order, each entry as JSON text. $1 last id seen, $2 at most.
select feed_id, json_build_object('id', feed_id, 'at', at, 'change', change, 'alert', body)::text as entry
from alert_feed where feed_id > $1 order by feed_id limit $2

-- feed_bounds --
-- The oldest and the newest feed id that are kept; 0 where nothing is.
select coalesce(min(feed_id), 0) as oldest, coalesce(max(feed_id), 0) as newest from alert_feed

-- transport_gaps --
-- When data may have been lost on the way to us, newest first. $1 ended since, $2 at most.
select source, from_at, until_at, messages from transport_gap
where until_at >= $1 order by until_at desc, gap_id desc limit $2

-- counties --
-- Names of counties, as accidents and districts of the map have them.
select distinct county from (
    select county from accident_version
    union all
    select name from fence_version where kind = 'district'
) as named where county <> '' order by county
