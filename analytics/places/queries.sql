-- present --
-- Now, in event time.
select present()

-- known_places --
-- Places founded so far, in the order in which they were.
select code, lat_udeg, lon_udeg, entry_course_deg from turn_place order by founded_at, code

-- lock_places --
-- Let one after another found places, so that none is founded twice; until the transaction ends.
select pg_advisory_xact_lock(hashtextextended('kerbsafe turn_place', 0))

-- found_places --
-- Keep new places. $1 codes, $2 latitudes, $3 longitudes, $4 courses, $5 at.
insert into turn_place (code, lat_udeg, lon_udeg, entry_course_deg, founded_at)
select code, lat, lon, course, $5
from unnest($1::text[], $2::int[], $3::int[], $4::smallint[]) as given (code, lat, lon, course)
on conflict (code) do nothing

-- turns_of_places --
-- Settled right turns of a half-open span, without bends. $1 from, $2 until.
select vehicle_id, lat_udeg, lon_udeg, coalesce(entry_course_deg, -1::smallint) as course_deg,
       reason is null as evaluable, coalesce(armed, false) as armed, coalesce(conflicts, -1) as conflicts
from right_turn
where entered_at >= $1 and entered_at < $2 and status = 'settled' and kind = 'turn'
order by entered_at, vehicle_id

-- unsettled_turns --
-- How many right turns of a span are not settled yet. $1 from, $2 until.
select count(*) from right_turn
where entered_at >= $1 and entered_at < $2 and status = 'provisional' and kind = 'turn'
