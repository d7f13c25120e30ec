-- Queries of what telematics suggests.

-- episodes --
-- Settled episodes of live rules that may be candidates, begun in a time ($1 to $2), oldest first. Braking on the way
-- into a site is none: there trucks stand for long.
select episode_id, vehicle_id, vehicle.code as vehicle, coalesce(company.code, '') as company, rule, severity,
       started_at, coalesce(ended_at, started_at) as ended_at
from episode
join vehicle using (vehicle_id)
left join company using (company_id)
where status = 'settled' and mode = 'live' and started_at >= $1 and started_at < $2
  and (rule = 'right_turn_lateral' or rule = 'conflict' and severity = 4 or rule = 'harsh_braking' and not exists (
      select from episode as visit
      where visit.vehicle_id = episode.vehicle_id and visit.rule = 'site' and visit.mode = 'live'
        and visit.status = 'settled' and visit.started_at <= episode.started_at + interval '2 minutes'
        and coalesce(visit.ended_at, 'infinity') >= episode.started_at))
order by started_at, episode_id

-- verdicts --
-- What people made of episodes ($1): the newest of each.
select distinct on (episode_id) episode_id, at, who, why, accident.code as accident
from accident_candidate_verdict
left join accident using (accident_id)
where episode_id = any($1::uuid[])
order by episode_id, verdict_id desc

-- is_episode --
-- Whether there is a settled episode of a live rule ($1).
select exists (select from episode where episode_id = $1 and status = 'settled' and mode = 'live')

-- add_verdict --
-- What a person makes of an episode: the accident that it was ($5), or NULL, none.
insert into accident_candidate_verdict (episode_id, at, who, why, accident_id)
values ($1, $2, $3, $4, (select accident_id from accident where code = $5))
