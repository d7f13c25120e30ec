-- register --
-- Vehicles of the bench. $1 company, $2 codes.
with firm as (
    insert into company (code, name) values ($1, '测试') returning company_id
), made as (
    insert into vehicle (code) select unnest($2::text[]) returning vehicle_id
)
insert into vehicle_version (vehicle_id, valid_from, company_id, kind)
select vehicle_id, '2000-01-01', company_id, 'mixer' from made, firm

-- store_episodes --
-- Judged rows of the months before. $1 how many, $2 vehicles to spread them over, $3 now.
insert into episode (episode_id, vehicle_id, company_id, rule, mode, rulebook, started_at, ended_at, ended_as,
    severity, peak, limit_value, limit_source, measures, status, settled_as, decided_at, settled_at)
select gen_random_uuid(), 1 + g % $2, company_id,
       case when g % 997 = 0 then 'camera' when g % 7 < 2 then 'forbidden' else 'speeding' end, 'live', 'default-1',
       $3::timestamptz - g * interval '10 seconds', $3::timestamptz - g * interval '10 seconds' + interval '30 s',
       'closed', case when g % 211 = 0 then 4 when g % 23 = 0 then 3 when g % 5 < 2 then 2 else 1 end,
       70 + g % 30, 60, 'class', '{"mean_excess_kmh": 8.5, "above_limit_s": 30, "distance_m": 600}',
       'settled', 'confirmed', $3, $3
from generate_series(3600, 3599 + $1) as g, company where company.code = 'bench'

-- store_alerts --
-- Their alerts: those of the last day are open, the others were dealt with. $1 now.
insert into alert (alert_id, state, raised_at, late)
select episode_id, case when started_at > $1::timestamptz - interval '1 day' then 'open' else 'resolved' end,
       started_at + interval '10 s', abs(hashtext(episode_id::text)) % 50 = 0
from episode

-- store_day --
-- A fix every second of the civil day $2 of one vehicle, $1. $3 the day's first moment.
insert into fix (vehicle_id, time, batch_id, lat_udeg, lon_udeg, odometer_hm, speed_dkmh, course_deg, altitude_m,
                 satellites, hdop_tenths, limit_kmh, flags)
select vehicle_id, $2::timestamptz + s * interval '1 second', 1, 30750000 + (20000 * sin(s / 900.0))::int,
       120760000 + (20000 * cos(s / 700.0))::int, 100000 + s / 10, 300 + (200 * sin(s / 60.0))::int, s % 360, 5, 12, 8,
       60, 3
from vehicle, generate_series(0, 86399) as s where code = $1

-- analyze --
-- Let the planner know what is there, as autovacuum does in time.
analyze

-- opened_at --
-- When the hot path decided each alert since $1: just before the commit.
select alert_id::text, extract(epoch from min(at)) * 1000 as at_ms
from alert_feed where change = 'opened' and at >= $1 group by 1

-- judged --
-- How many fixes were stored and judged at once since the bench began.
select coalesce(sum(stored), 0)::bigint as stored, coalesce(sum(judged), 0)::bigint as judged from batch
where source = 'live'
