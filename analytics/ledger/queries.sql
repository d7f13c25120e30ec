-- Queries of the accident ledger.

-- lock_ledger --
-- Writers wait for one another, so that what is planned still holds when it is written.
select pg_advisory_xact_lock(hashtextextended('kerbsafe accident ledger', 0));

-- versions --
-- All versions recorded by a time ($1), of all accidents or of some ($2), oldest first.
select accident.code, version, recorded_at, known_from, status, reason, who, why,
       other.code as merged_into, reporter, police_handled, police_no, claim_no, occurred_at, occurred_exact,
       county, place, road_class, weather, lighting, form, loss_yuan, casualties_known, lat_udeg, lon_udeg,
       coalesce((select jsonb_agg(jsonb_build_object(
                            'role', role, 'injury', injury,
                            'died_us', (extract(epoch from died_at) * 1000000)::bigint,
                            'died_exact', died_exact, 'died_within_days', died_within_days) order by seq)
                 from accident_casualty c
                 where c.accident_id = v.accident_id and c.version = v.version), '[]') as casualties,
       coalesce((select jsonb_agg(jsonb_build_object(
                            'is_fleet', is_fleet, 'vehicle', coalesce(vehicle.code, ''), 'plate', p.plate,
                            'company', coalesce(company.code, ''), 'kind', kind, 'manoeuvre', manoeuvre,
                            'responsibility', responsibility) order by seq)
                 from accident_vehicle p
                 left join vehicle using (vehicle_id)
                 left join company using (company_id)
                 where p.accident_id = v.accident_id and p.version = v.version), '[]') as vehicles
from accident_version v
join accident using (accident_id)
left join accident other on other.accident_id = v.merged_into
where recorded_at <= $1 and ($2::text[] is null or accident.code = any($2))
order by accident.code, version;

-- with_police_numbers --
-- Accidents of which any account has one of some numbers of the police ($1).
select distinct code from accident join accident_version using (accident_id)
where police_no = any($1::text[]) and police_no <> '';

-- add_accidents --
-- Accidents that the ledger did not have, by their codes.
insert into accident (code) select unnest($1::text[]) on conflict do nothing;

-- add_version --
-- One version of one accident.
insert into accident_version (accident_id, version, recorded_at, known_from, status, reason, who, why, merged_into,
                              reporter, police_handled, police_no, claim_no, occurred_at, occurred_exact, county,
                              place, road_class, weather, lighting, form, loss_yuan, casualties_known,
                              lat_udeg, lon_udeg)
select accident_id, $2, $3, $4, $5, $6, $7, $8, (select accident_id from accident where code = nullif($9, '')),
       $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25
from accident where code = $1;

-- add_casualty --
-- One person of a version.
insert into accident_casualty (accident_id, version, seq, role, injury, died_at, died_exact, died_within_days)
select accident_id, $2, $3, $4, $5, $6, $7, $8 from accident where code = $1;

-- add_vehicle --
-- One vehicle of a version.
insert into accident_vehicle (accident_id, version, seq, is_fleet, vehicle_id, plate, company_id, kind, manoeuvre,
                              responsibility)
select accident_id, $2, $3, $4, (select vehicle_id from vehicle where code = nullif($5, '')), $6,
       (select company_id from company where code = nullif($7, '')), $8, $9, $10
from accident where code = $1;

-- fleet_vehicles --
-- Every version of every vehicle, oldest first, with what accidents are told apart by.
select vehicle.code, vehicle.plate, valid_from, company.code as company, kind
from vehicle
join vehicle_version using (vehicle_id)
join company using (company_id)
order by vehicle.code, valid_from;

-- fleet_companies --
-- Codes and names of companies.
select code, name from company order by code;
