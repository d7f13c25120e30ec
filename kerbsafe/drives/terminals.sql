-- logins --
-- Vehicles by code, each with the telephone number of a terminal of its own, if it carries one. $1 codes.
select code, vehicle_id,
       (select min(login) from device
        where device.vehicle_id = vehicle.vehicle_id and revoked_at is null and login ~ '^[0-9]{6,20}$') as login
from vehicle where code = any($1)
