-- camera_of_spans --
-- Reports of the right-hand cameras of vehicles in half-open spans of time, one a vehicle, and the newest one
-- before each span, as a sign that the camera works. $1 vehicles, $2 from, $3 until, $4 oldest sign, as an interval.
select found.vehicle_id, found.time, event_id, side, target, phase, lat_udeg, lon_udeg, speed_dkmh, evidence
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as span (vehicle_id, since, until)
join lateral (
    select * from camera_event as own
    where own.vehicle_id = span.vehicle_id and own.time >= span.since and own.time < span.until and side = 1
    union all (
        select * from camera_event as own
        where own.vehicle_id = span.vehicle_id and own.time < span.since and own.time >= span.since - $4::interval
          and side = 1
        order by own.time desc limit 1)
) as found on true
order by found.vehicle_id, found.time, event_id

-- health_of_spans --
-- What units say of their cameras in half-open spans of time, one a vehicle, and the newest before each span.
-- $1 vehicles, $2 from, $3 until, $4 oldest sign, as an interval.
select found.vehicle_id, found.time, camera, power, gnss, firmware
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as span (vehicle_id, since, until)
join lateral (
    select * from device_health as own
    where own.vehicle_id = span.vehicle_id and own.time >= span.since and own.time < span.until
    union all (
        select * from device_health as own
        where own.vehicle_id = span.vehicle_id and own.time < span.since and own.time >= span.since - $4::interval
          and camera <> 0
        order by own.time desc limit 1)
) as found on true
order by found.vehicle_id, found.time

-- count_of_spans --
-- How many reports of cameras and units there are in half-open spans of time, one a vehicle.
-- $1 vehicles, $2 from, $3 until, $4 of each kind counted up to this.
select span.vehicle_id,
       (select count(*) from (select from camera_event as own where own.vehicle_id = span.vehicle_id
                              and own.time >= span.since and own.time < span.until limit $4) as camera)
       + (select count(*) from (select from device_health as own where own.vehicle_id = span.vehicle_id
                                and own.time >= span.since and own.time < span.until limit $4) as health) as reports
from unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as span (vehicle_id, since, until)

-- camera_arrivals --
-- Reports of the cameras of vehicles as they arrived. $1 vehicles, $2 received from, $3 received until.
select batch_id, received_at, vehicle_id, time, event_id, side, target, phase, lat_udeg, lon_udeg, speed_dkmh, evidence
from batch join camera_event using (batch_id)
where batch.received_at >= $2 and batch.received_at < $3 and vehicle_id = any($1::int[])
  and time >= $2::timestamptz - interval '35 days' and time < $3::timestamptz + interval '25 hours'
order by batch_id, vehicle_id, time, event_id

-- health_arrivals --
-- What units say of themselves as it arrived. $1 vehicles, $2 received from, $3 received until.
select batch_id, received_at, vehicle_id, time, camera, power, gnss, firmware
from batch join device_health using (batch_id)
where batch.received_at >= $2 and batch.received_at < $3 and vehicle_id = any($1::int[])
  and time >= $2::timestamptz - interval '35 days' and time < $3::timestamptz + interval '25 hours'
order by batch_id, vehicle_id, time

-- recent_camera --
-- Reports of right-hand cameras in a span of time, those left out that were received too late or too early.
-- $1 from, $2 until, $3 horizon, $4 ahead.
select vehicle_id, time, event_id, side, target, phase, lat_udeg, lon_udeg, speed_dkmh, evidence
from camera_event join batch using (batch_id)
where time >= $1 and time < $2 and side = 1
  and received_at - time <= $3::interval and time - received_at <= $4::interval
order by batch_id, vehicle_id, time, event_id

-- newest_signs --
-- The newest sign that each vehicle's camera works, or does not, by a moment. $1 moment, $2 oldest, as an interval.
select vehicle_id, sign.time, sign.works from vehicle
join lateral (
    select time, works from (
        (select time, true as works from camera_event as own
         where own.vehicle_id = vehicle.vehicle_id and own.time <= $1 and own.time > $1::timestamptz - $2::interval
           and side = 1
         order by time desc limit 1)
        union all
        (select time, camera = 1 from device_health as own
         where own.vehicle_id = vehicle.vehicle_id and own.time <= $1 and own.time > $1::timestamptz - $2::interval
           and camera <> 0
         order by time desc limit 1)
    ) as either order by time desc, works limit 1
) as sign on true
