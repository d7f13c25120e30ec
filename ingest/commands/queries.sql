-- raised --
-- Alerts that the feed has told of since $1 that they were raised, as they stand, in order; with the newest fix of the
-- vehicle within 10 s of $2 and the last prompt of the rule to it within a minute. At most $3.
select feed_id, alert.alert_id, vehicle.vehicle_id, vehicle.code as vehicle, episode.rule, episode.ended_at,
       newest.time as newest_fix_at, last.at as last_at
from alert_feed
join alert using (alert_id)
join episode on episode_id = alert_id
join vehicle using (vehicle_id)
left join lateral (
    select time from fix
    where fix.vehicle_id = vehicle.vehicle_id
      and time > $2::timestamptz - interval '10 seconds' and time <= $2::timestamptz + interval '10 seconds'
    order by time desc limit 1
) as newest on true
left join lateral (
    select at from prompt
    where prompt.vehicle_id = vehicle.vehicle_id and prompt.rule = episode.rule
      and at > $2::timestamptz - interval '70 seconds'
    order by at desc limit 1
) as last on true
where feed_id > $1 and change = 'opened' and not alert.late
order by feed_id limit $3

-- feed_end --
-- The newest feed id; 0 if nothing was ever told.
select coalesce(max(feed_id), 0) from alert_feed

-- note_prompt --
-- Keep what a rule had to tell; once an alert. $1 alert, $2 vehicle, $3 rule, $4 when, $5 command (null: held out).
insert into prompt (alert_id, vehicle_id, rule, at, command_id) values ($1, $2, $3, $4, $5)

-- has_prompt --
-- Whether an alert was decided upon before. $1 alert.
select exists (select from prompt where alert_id = $1)
