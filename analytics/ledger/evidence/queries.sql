-- Queries of the evidence of an accident.

-- vehicle --
-- A vehicle by its code ($1), and who was on duty at a time ($2): the version in force then, or the first.
select vehicle.vehicle_id, driver.code as driver
from vehicle
left join lateral (
    select driver_id from vehicle_version
    where vehicle_version.vehicle_id = vehicle.vehicle_id
    order by valid_from <= $2 desc, case when valid_from <= $2 then valid_from end desc, valid_from limit 1
) as duty on true
left join driver using (driver_id)
where vehicle.code = $1

-- turns --
-- Right turns of a vehicle ($1) that overlap a time ($2 to $3) and still hold.
select entered_at, exited_at, max_kmh, stop, reason from right_turn
where vehicle_id = $1 and entered_at < $3 and exited_at >= $2 and status <> 'withdrawn'
order by entered_at

-- alarms --
-- Episodes of a vehicle ($1) that began in a time ($2 to $3, included) and still hold, as live rules judged them.
select rule, started_at, severity, status from episode
where vehicle_id = $1 and started_at >= $2 and started_at <= $3 and mode = 'live' and status <> 'withdrawn'
  and exists (select from alert where alert_id = episode_id)
order by started_at

-- add --
-- What a vehicle recorded around an accident.
insert into accident_evidence (accident_id, version, vehicle_id, made_at, who, from_at, until_at, sha256, summary, drawing)
select accident_id, $2, $3, $4, $5, $6, $7, $8, $9, $10 from accident where code = $1

-- newest --
-- The newest evidence of each vehicle of an accident ($1), made by a time ($2).
select distinct on (vehicle.code) evidence_id, vehicle.code as vehicle, version, made_at, from_at, until_at, sha256,
       summary, drawing <> '' as has_drawing
from accident_evidence
join accident using (accident_id)
join vehicle using (vehicle_id)
where accident.code = $1 and made_at <= $2
order by vehicle.code, evidence_id desc

-- drawing --
-- A drawing ($2) of an accident ($1); no row where there is none.
select drawing from accident_evidence
join accident using (accident_id)
where accident.code = $1 and evidence_id = $2 and drawing <> ''
