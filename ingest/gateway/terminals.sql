-- terminals --
-- Devices whose login is a telephone number and was not taken back, with truck, model and the truck's company at $1.
select login, vehicle.code as vehicle, company.code as company, model
from device
join vehicle using (vehicle_id)
join lateral (
    select company_id from vehicle_version
    where vehicle_version.vehicle_id = vehicle.vehicle_id
    order by valid_from <= $1 desc, abs(extract(epoch from valid_from - $1)) limit 1
) as version on true
join company using (company_id)
where revoked_at is null and login ~ '^[0-9]{6,20}$'
