-- Queries of claims.

-- versions --
-- All accounts of claims recorded by a time ($1), of all claims or of some ($2), oldest first.
select claim.code, version, recorded_at, who, why, insurer, police_no, occurred_at, occurred_exact, county, place,
       coalesce(vehicle.code, '') as vehicle, v.plate, coalesce(company.code, '') as company, kind, dead, hurt, paid_yuan
from claim_version v
join claim using (claim_id)
left join vehicle using (vehicle_id)
left join company using (company_id)
where recorded_at <= $1 and ($2::text[] is null or claim.code = any($2))
order by claim.code, version;

-- add_claims --
-- Claims that were not known, by their codes.
insert into claim (code) select unnest($1::text[]) on conflict do nothing;

-- add_version --
-- One version of one claim.
insert into claim_version (claim_id, version, recorded_at, who, why, insurer, police_no, occurred_at, occurred_exact,
                           county, place, vehicle_id, plate, company_id, kind, dead, hurt, paid_yuan)
select claim_id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
       (select vehicle_id from vehicle where code = nullif($12, '')), $13,
       (select company_id from company where code = nullif($14, '')), $15, $16, $17, $18
from claim where code = $1;
