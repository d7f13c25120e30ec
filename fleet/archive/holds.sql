-- find_vehicle --
-- The id of a vehicle. $1 code.
select vehicle_id from vehicle where code = $1

-- place --
-- Place a hold. $1 vehicle id, $2 its code, $3 from, $4 until, $5 reason, $6 by whom.
insert into legal_hold (vehicle_id, vehicle, from_at, until_at, reason, placed_by) values ($1, $2, $3, $4, $5, $6)
returning hold_id

-- release --
-- Release a hold; nothing if it is released. $1 hold, $2 reason, $3 by whom.
insert into hold_release (hold_id, reason, released_by) select hold_id, $2, $3 from legal_hold where hold_id = $1
on conflict (hold_id) do nothing

-- holds --
-- Holds, the newest first, with what is sealed of each. $1 one of them (NULL: all).
select hold_id, vehicle_id, vehicle, from_at, until_at, hold.reason, placed_by, placed_at, released_at, released_by,
       release.reason as release_reason,
       (select coalesce(sum(fixes), 0)::int from hold_seal where hold_seal.hold_id = hold.hold_id) as fixes,
       (select count(*)::int from hold_seal where hold_seal.hold_id = hold.hold_id) as seals
from legal_hold as hold left join hold_release as release using (hold_id)
where $1::int is null or hold_id = $1 order by hold_id desc

-- binding --
-- Holds that are not released and touch a span of time. $1 from, $2 until.
select hold_id, vehicle_id, vehicle, greatest(from_at, $1) as from_at, least(until_at, $2) as until_at
from legal_hold as hold
where from_at < $2 and until_at > $1
  and not exists (select from hold_release where hold_release.hold_id = hold.hold_id)
order by hold_id

-- sealed_times --
-- When the fixes were measured that are sealed of a hold. $1 hold.
select coalesce(array_agg((extract(epoch from time) * 1000000)::bigint order by time), '{}') as times
from sealed_fix where hold_id = $1

-- next_seal --
-- The number of the next seal of a hold. $1 hold.
select coalesce(max(seal), 0) + 1 from hold_seal where hold_id = $1

-- add_seal --
-- Note a seal. $1 hold, $2 number, $3 fixes, $4 SHA-256.
insert into hold_seal (hold_id, seal, fixes, sha256) values ($1, $2, $3, $4)

-- seals --
-- The seals of a hold. $1 hold.
select seal, fixes, sha256, sealed_at from hold_seal where hold_id = $1 order by seal

-- sealed_rows --
-- What is sealed of a hold, in stored units. $1 hold.
select seal, (extract(epoch from time) * 1000000)::bigint as time_us, lat_udeg, lon_udeg, speed_dkmh, course_deg,
       altitude_m, odometer_hm, satellites, hdop_tenths, limit_kmh, flags, sha256
from sealed_fix where hold_id = $1 order by seal, time
