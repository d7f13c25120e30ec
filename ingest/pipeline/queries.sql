-- make_stages --
-- Where a batch waits within its transaction until what is known already has been sorted out.
create temporary table stage_fix (
    place integer not null, judged smallint not null, vehicle_id integer not null, time timestamptz not null,
    lat_udeg integer not null, lon_udeg integer not null, speed_dkmh smallint not null,
    course_deg smallint not null, altitude_m smallint not null, odometer_hm integer not null,
    satellites smallint not null, hdop_tenths smallint not null, limit_kmh smallint not null,
    flags smallint not null
) on commit delete rows;
create temporary table stage_camera (
    place integer not null, vehicle_id integer not null, time timestamptz not null, event_id text not null,
    side smallint not null, target smallint not null, phase smallint not null,
    lat_udeg integer not null, lon_udeg integer not null, speed_dkmh smallint not null, evidence text not null
) on commit delete rows;
create temporary table stage_health (
    place integer not null, vehicle_id integer not null, time timestamptz not null,
    camera smallint not null, power smallint not null, gnss smallint not null, firmware text not null
) on commit delete rows

-- clear_stages --
-- Empty the stages between two parts of one batch.
truncate stage_fix, stage_camera, stage_health

-- draw_batch_ids --
-- Draw the ids of the next batches. $1 how many.
select nextval(pg_get_serial_sequence('batch', 'batch_id')) as batch_id from generate_series(1, $1::int)

-- newest_stored --
-- The newest stored time of vehicles; none of a vehicle without fixes. $1 vehicles.
select vehicle_id, newest.time from unnest($1::int[]) as asked (vehicle_id)
join lateral (
    select time from fix where fix.vehicle_id = asked.vehicle_id order by time desc limit 1
) as newest on true

-- insert_fixes --
-- Store the staged fixes whose key is not there yet. $1 batch.
insert into fix (vehicle_id, time, batch_id, lat_udeg, lon_udeg, odometer_hm, speed_dkmh, course_deg,
                 altitude_m, satellites, hdop_tenths, limit_kmh, flags)
select vehicle_id, time, $1, lat_udeg, lon_udeg, odometer_hm, speed_dkmh, course_deg,
       altitude_m, satellites, hdop_tenths, limit_kmh, flags
from stage_fix order by vehicle_id, time
on conflict (vehicle_id, time) do nothing

-- known_fixes --
-- Staged fixes whose key was there before: whether the content is the same, whether the staged one was
-- received nearer to its own time (then the smaller content) and so replaces it, and the stored content.
-- $1 batch, $2 received_at.
select place, vehicle_id, time,
       (new.lat_udeg, new.lon_udeg, new.speed_dkmh, new.course_deg, new.altitude_m, new.odometer_hm,
        new.satellites, new.hdop_tenths, new.limit_kmh, new.flags)
     = (old.lat_udeg, old.lon_udeg, old.speed_dkmh, old.course_deg, old.altitude_m, old.odometer_hm,
        old.satellites, old.hdop_tenths, old.limit_kmh, old.flags) as same,
       coalesce((greatest($2 - time, time - $2),
        new.lat_udeg, new.lon_udeg, new.speed_dkmh, new.course_deg, new.altitude_m, new.odometer_hm,
        new.satellites, new.hdop_tenths, new.limit_kmh, new.flags)
     < (greatest(batch.received_at - time, time - batch.received_at),
        old.lat_udeg, old.lon_udeg, old.speed_dkmh, old.course_deg, old.altitude_m, old.odometer_hm,
        old.satellites, old.hdop_tenths, old.limit_kmh, old.flags), false) as nearer,
       to_jsonb(old)::text as stored
from stage_fix as new
join fix as old using (vehicle_id, time)
left join batch using (batch_id)
where old.batch_id <> $1

-- replace_fixes --
-- Put staged fixes in the place of stored ones. $1 batch, $2 places in the stage.
update fix as old
set batch_id = $1, lat_udeg = new.lat_udeg, lon_udeg = new.lon_udeg, speed_dkmh = new.speed_dkmh,
    course_deg = new.course_deg, altitude_m = new.altitude_m, odometer_hm = new.odometer_hm,
    satellites = new.satellites, hdop_tenths = new.hdop_tenths, limit_kmh = new.limit_kmh, flags = new.flags
from stage_fix as new
where new.place = any($2::int[]) and old.vehicle_id = new.vehicle_id and old.time = new.time

-- mark_unjudged --
-- Ask the settler to judge what was stored by this batch and not judged live, or replaced.
-- $1 batch, $2 marked_at.
insert into dirty (vehicle_id, time, until, marked_at)
select vehicle_id, min(time), max(time), $2
from stage_fix join fix using (vehicle_id, time)
where fix.batch_id = $1 and judged = 0
group by vehicle_id order by vehicle_id

-- mark_replaced --
-- Ask the settler to judge again where a stored fix was replaced. $1 vehicles, $2 times, $3 marked_at.
insert into dirty (vehicle_id, time, until, marked_at)
select vehicle, at, at, $3 from unnest($1::int[], $2::timestamptz[]) as given (vehicle, at)

-- mark_untimely_camera --
-- Ask the settler to join detections of right-hand cameras that were stored by this batch and not judged live.
-- Each is a sign that the camera works, for so long. $1 batch, $2 received_at, $3 horizon, $4 ahead, $5 armed.
insert into dirty (vehicle_id, time, until, marked_at)
select vehicle_id, min(time), greatest(max(time), least(max(time) + $5::interval, $2)), $2
from stage_camera join camera_event using (vehicle_id, time, event_id)
where camera_event.batch_id = $1 and camera_event.side = 1
  and (time < $2::timestamptz - $3::interval or time > $2::timestamptz + $4::interval)
group by vehicle_id order by vehicle_id

-- mark_untimely_health --
-- Ask the settler to judge again whose camera was armed, by what units said of it and was not judged live.
-- $1 batch, $2 received_at, $3 horizon, $4 ahead, $5 armed.
insert into dirty (vehicle_id, time, until, marked_at)
select vehicle_id, min(time), greatest(max(time), least(max(time) + $5::interval, $2)), $2
from stage_health join device_health using (vehicle_id, time)
where device_health.batch_id = $1 and device_health.camera <> 0
  and (time < $2::timestamptz - $3::interval or time > $2::timestamptz + $4::interval)
group by vehicle_id order by vehicle_id

-- insert_camera --
-- Store the staged camera events whose key is not there yet. $1 batch.
insert into camera_event (vehicle_id, time, event_id, batch_id, side, target, phase, lat_udeg, lon_udeg,
                          speed_dkmh, evidence)
select vehicle_id, time, event_id, $1, side, target, phase, lat_udeg, lon_udeg, speed_dkmh, evidence
from stage_camera order by vehicle_id, time, event_id
on conflict do nothing

-- known_camera --
-- Staged camera events whose key was there before, as in known_fixes. $1 batch, $2 received_at.
select place, vehicle_id, time,
       (new.side, new.target, new.phase, new.lat_udeg, new.lon_udeg, new.speed_dkmh, new.evidence)
     = (old.side, old.target, old.phase, old.lat_udeg, old.lon_udeg, old.speed_dkmh, old.evidence) as same,
       coalesce((greatest($2 - time, time - $2),
        new.side, new.target, new.phase, new.lat_udeg, new.lon_udeg, new.speed_dkmh, new.evidence)
     < (greatest(batch.received_at - time, time - batch.received_at),
        old.side, old.target, old.phase, old.lat_udeg, old.lon_udeg, old.speed_dkmh, old.evidence), false)
       as nearer,
       to_jsonb(old)::text as stored
from stage_camera as new
join camera_event as old using (vehicle_id, time, event_id)
left join batch using (batch_id)
where old.batch_id <> $1

-- replace_camera --
-- Put staged camera events in the place of stored ones. $1 batch, $2 places in the stage.
update camera_event as old
set batch_id = $1, side = new.side, target = new.target, phase = new.phase, lat_udeg = new.lat_udeg,
    lon_udeg = new.lon_udeg, speed_dkmh = new.speed_dkmh, evidence = new.evidence
from stage_camera as new
where new.place = any($2::int[])
  and (old.vehicle_id, old.time, old.event_id) = (new.vehicle_id, new.time, new.event_id)

-- insert_health --
-- Store the staged health reports whose key is not there yet. $1 batch.
insert into device_health (vehicle_id, time, batch_id, camera, power, gnss, firmware)
select vehicle_id, time, $1, camera, power, gnss, firmware from stage_health order by vehicle_id, time
on conflict do nothing

-- known_health --
-- Staged health reports whose key was there before, as in known_fixes. $1 batch, $2 received_at.
select place, vehicle_id, time,
       (new.camera, new.power, new.gnss, new.firmware) = (old.camera, old.power, old.gnss, old.firmware) as same,
       coalesce((greatest($2 - time, time - $2), new.camera, new.power, new.gnss, new.firmware)
     < (greatest(batch.received_at - time, time - batch.received_at), old.camera, old.power, old.gnss,
        old.firmware), false) as nearer,
       to_jsonb(old)::text as stored
from stage_health as new
join device_health as old using (vehicle_id, time)
left join batch using (batch_id)
where old.batch_id <> $1

-- replace_health --
-- Put staged health reports in the place of stored ones. $1 batch, $2 places in the stage.
update device_health as old
set batch_id = $1, camera = new.camera, power = new.power, gnss = new.gnss, firmware = new.firmware
from stage_health as new
where new.place = any($2::int[]) and (old.vehicle_id, old.time) = (new.vehicle_id, new.time)

-- insert_acks --
-- Store answers to commands; the same answer again changes nothing. $1 batch, then columns.
insert into command_ack (vehicle_id, command_id, time, result, batch_id, detail, answer, said_by)
select vehicle, command, at, result, $1, detail, answer, said_by
from unnest($2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[])
    as given (vehicle, command, at, result, detail, answer, said_by)
on conflict do nothing

-- record_batch --
-- Write the ledger's line of a batch.
insert into batch (batch_id, received_at, source, messages, received, stored, duplicates, rejected, judged)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- record_tick --
-- Write that silence was judged at a moment; as-arrived replay does the same there. $1 batch, $2 at.
insert into batch (batch_id, received_at, source) values ($1, $2, 'tick')

-- newest_batch --
-- When the newest batch was received; NULL: there is none.
select max(received_at) from batch

-- refused_since --
-- When something of vehicles was refused last. $1 received since.
select vehicle_id, max(received_at) as received_at from reject
where received_at > $1 and vehicle_id is not null group by vehicle_id

-- newest_flags --
-- The flags of the newest fix of vehicles. $1 vehicles, $2 not older than this.
select vehicle.vehicle_id, newest.time, newest.flags
from unnest($1::int[]) as vehicle (vehicle_id)
join lateral (
    select time, flags from fix where fix.vehicle_id = vehicle.vehicle_id and time > $2 order by time desc limit 1
) as newest on true

-- last_tick --
-- When silence was judged last; NULL: never.
select max(received_at) from batch where source = 'tick'

-- ticks_since --
-- When silence was judged, in order, since the broker lost something last. $1 since.
select received_at from batch
where source = 'tick' and received_at >= $1
  and received_at > coalesce((select max(until_at) from transport_gap), '-infinity')
order by received_at

-- record_rejects --
-- Keep what was rejected. $1 batch, $2 received_at, then columns.
insert into reject (batch_id, received_at, reason, topic, vehicle_id, observations, detail, payload, retriable)
select $1, $2, reason, topic, vehicle, observations, detail, payload, retriable
from unnest($3::text[], $4::text[], $5::int[], $6::int[], $7::text[], $8::bytea[], $9::boolean[])
     as given (reason, topic, vehicle, observations, detail, payload, retriable)

-- count_rejects --
-- Count what was rejected beyond that, in a row an hour. $1 batch, $2 received_at, then columns.
insert into reject (batch_id, received_at, hour, reason, topic, vehicle_id, observations)
select $1, $2, date_trunc('hour', $2::timestamptz, 'UTC'), reason, '', vehicle, observations
from unnest($3::text[], $4::int[], $5::bigint[]) as given (reason, vehicle, observations)
order by reason, vehicle
on conflict (hour, reason, vehicle_id) where hour is not null
do update set observations = reject.observations + excluded.observations

-- keep_holds --
-- Keep since when conditions hold. $1 vehicles, $2 rules, $3 since, $4 seen, $5 peaks.
insert into arrival_hold (vehicle_id, rule, since, seen, peak)
select * from unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::float8[])
on conflict (vehicle_id, rule) do update set since = excluded.since, seen = excluded.seen, peak = excluded.peak

-- drop_holds --
-- Conditions that hold no more, or are episodes now. $1 vehicles, $2 rules.
delete from arrival_hold using unnest($1::int[], $2::text[]) as over (vehicle_id, rule)
where arrival_hold.vehicle_id = over.vehicle_id and arrival_hold.rule = over.rule

-- load_holds --
-- All of them.
select vehicle_id, rule, since, seen, peak from arrival_hold
