-- read_spans --
-- Stored fixes of vehicles in half-open spans of time, in stored units, by vehicle and time.
-- $1 vehicles, $2 from, $3 until, $4 at most so many of each span (NULL: all).
select fix.vehicle_id, fix.time, fix.lat_udeg, fix.lon_udeg, fix.speed_dkmh, fix.course_deg, fix.altitude_m,
       fix.odometer_hm, fix.satellites, fix.hdop_tenths, fix.limit_kmh, fix.flags
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as span (vehicle_id, since, until)
join lateral (
    select * from fix
    where fix.vehicle_id = span.vehicle_id and fix.time >= span.since and fix.time < span.until
    limit $4
) as fix on true
order by fix.vehicle_id, fix.time

-- read_page --
-- Stored fixes of one vehicle in a half-open span of time, in stored units, by time. $1 vehicle, $2 from, $3 until,
-- $4 at most.
select vehicle_id, time, lat_udeg, lon_udeg, speed_dkmh, course_deg, altitude_m, odometer_hm, satellites, hdop_tenths,
       limit_kmh, flags
from fix where vehicle_id = $1::int and time >= $2::timestamptz and time < $3::timestamptz
order by time limit $4::int

-- read_day --
-- The fixes of a span of time, in stored units, by vehicle and time. $1 from, $2 until.
select vehicle_id, time, lat_udeg, lon_udeg, speed_dkmh, course_deg, altitude_m, odometer_hm, satellites, hdop_tenths,
       limit_kmh, flags
from fix where time >= $1::timestamptz and time < $2::timestamptz
order by vehicle_id, time

-- count_span --
-- How many fixes of one vehicle are stored in a half-open span of time. $1 vehicle, $2 from, $3 until.
select count(*) from fix where vehicle_id = $1 and time >= $2 and time < $3

-- read_arrivals --
-- Stored fixes of vehicles as they arrived, with the moment of each batch; a tick is a row without a vehicle (-1).
-- $1 vehicles, $2 received from, $3 received until.
select batch.batch_id, batch.received_at,
       coalesce(fix.vehicle_id, -1), coalesce(fix.time, batch.received_at),
       coalesce(fix.lat_udeg, 0), coalesce(fix.lon_udeg, 0), coalesce(fix.speed_dkmh, -1::smallint),
       coalesce(fix.course_deg, -1::smallint), coalesce(fix.altitude_m, -1::smallint),
       coalesce(fix.odometer_hm, -1), coalesce(fix.satellites, -1::smallint),
       coalesce(fix.hdop_tenths, -1::smallint), coalesce(fix.limit_kmh, -1::smallint),
       coalesce(fix.flags, 0::smallint)
from batch left join (
    select * from fix
    where vehicle_id = any($1::int[]) and time >= $2::timestamptz - interval '35 days'
      and time < $3::timestamptz + interval '25 hours'
) as fix using (batch_id)
where batch.received_at >= $2 and batch.received_at < $3
  and (fix.vehicle_id is not null or batch.source = 'tick')
order by batch.batch_id, fix.vehicle_id, fix.time

-- read_after --
-- Stored fixes of vehicles newer than a watermark each, by batch, with the moment the batch was received.
-- $1 vehicles, $2 watermarks (exclusive).
select fix.batch_id, batch.received_at, fix.vehicle_id, fix.time, fix.lat_udeg, fix.lon_udeg, fix.speed_dkmh,
       fix.course_deg, fix.altitude_m, fix.odometer_hm, fix.satellites, fix.hdop_tenths, fix.limit_kmh, fix.flags
from unnest($1::int[], $2::timestamptz[]) as since (vehicle_id, watermark)
join lateral (
    select * from fix where fix.vehicle_id = since.vehicle_id and fix.time > since.watermark
) as fix on true
join batch on batch.batch_id = fix.batch_id
order by fix.batch_id, fix.vehicle_id, fix.time
