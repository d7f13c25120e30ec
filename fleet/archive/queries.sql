-- cold_days --
-- Days in [$1, $2] that are in the cold store, with its files and their sizes, or that are not kept any longer.
select day, archived.day is not null as is_archived,
       array(select name from archive_part as part where part.day = known.day order by name) as names,
       array(select bytes from archive_part as part where part.day = known.day order by name) as sizes
from (select day from archived_day union select day from dropped_day where timed = 'fix') as known
left join archived_day as archived using (day)
where day between $1 and $2 order by day

-- vehicles_of_day --
-- The vehicles of which the database has fixes in a span of time. $1 from, $2 until.
select vehicle_id, code from vehicle
where exists (select from fix where fix.vehicle_id = vehicle.vehicle_id and time >= $1 and time < $2)

-- record_day --
-- Note that a day is in the cold store. $1 day.
insert into archived_day (day) values ($1) on conflict (day) do nothing

-- record_part --
-- Note a file of the cold store. $1 day, $2 name, $3 fixes, $4 bytes, $5 SHA-256.
insert into archive_part (day, name, fixes, bytes, sha256) values ($1, $2, $3, $4, $5) on conflict (day, name) do nothing

-- parts --
-- The files of a day. $1 day.
select name, fixes, bytes, sha256 from archive_part where day = $1 order by name

-- archived_days --
-- Every day that is in the cold store: since when, how much of it, and whether the database has it too.
select archived_day.day, archived_at, count(name)::int as parts, coalesce(sum(fixes), 0)::bigint as fixes,
       coalesce(sum(bytes), 0)::bigint as bytes, archived_day.day in (select days_of('fix')) as is_stored
from archived_day left join archive_part using (day) group by archived_day.day order by 1

-- stored_days --
-- The days that a timed table has room for. $1 table.
select day from days_of($1) as day order by 1

-- received_last --
-- When anything was received last; NULL: never, or forgotten.
select max(received_at) from batch

-- lock_day --
-- Let nobody write to a day of fixes until the transaction ends. $1 day.
select lock_day('fix', $1)

-- drop_day --
-- Drop a day of a timed table. $1 table, $2 day.
select drop_day($1, $2)

-- dropped_days --
-- The days of fixes that were dropped from the database.
select day from dropped_day where timed = 'fix'

-- take_back --
-- Forget that a day of fixes was dropped: it is stored again. $1 day.
delete from dropped_day where timed = 'fix' and day = $1

-- make_day --
-- Make room for a day of fixes. $1 day.
select make_days('fix', $1, $1)

-- is_archived --
-- Whether a day is in the cold store. $1 day.
select exists (select from archived_day where day = $1)

-- forget_day --
-- Forget a day of the cold store: its files are going to be deleted. $1 day.
delete from archived_day where day = $1
