-- known --
-- What was known last of our sessions and of what the broker drops.
select name, known_at, dropped from transport_known

-- note_known --
-- Note up to when nothing is missing. $1 name, $2 at, $3 dropped.
insert into transport_known (name, known_at, dropped) values ($1, $2, $3)
on conflict (name) do update set known_at = excluded.known_at, dropped = excluded.dropped

-- note_gap --
-- Note a time of which data may be missing. $1 source, $2 session, $3 from, $4 until, $5 messages, $6 now.
insert into transport_gap (source, session, from_at, until_at, messages, noted_at) values ($1, $2, $3, $4, $5, $6)

-- judge_again --
-- Have the settler judge again what it has judged of a time. $1 from, $2 until, $3 now.
insert into dirty (vehicle_id, time, until, marked_at)
select vehicle_id, greatest(started_at, $1), least(coalesce(ended_at, $2), $2), $3 from segment
where settled_at is not null and started_at <= $2 and coalesce(ended_at, $2) >= $1

-- newest_gap --
-- When the newest gap was noted, as seconds since 1970, by source.
select source, extract(epoch from max(noted_at))::float8 as noted_s from transport_gap group by source
