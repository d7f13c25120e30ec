-- registry_revision --
-- The number that grows with every change of the registry.
select revision from registry_revision

-- vehicle_versions --
-- Every version of every vehicle's facts, for the directory.
select vehicle_id, code, valid_from, company_id, kind, limit_kmh
from vehicle join vehicle_version using (vehicle_id)
order by vehicle_id, valid_from

-- find_vehicle --
-- The id of a vehicle by its code.
select vehicle_id from vehicle where code = $1

-- duties --
-- Every version of who is to drive each vehicle; NULL: nobody has said.
select vehicle_id, valid_from, driver_id from vehicle_version order by vehicle_id, valid_from

-- qualifications --
-- Every version of the qualification of each driver who was ever on duty.
select driver_id, code, valid_from, qualified_until
from driver join driver_version using (driver_id)
where driver_id in (select driver_id from vehicle_version) order by driver_id, valid_from

-- company_codes --
-- Every company, for the directory.
select company_id, code from company

-- lock_registry --
-- Let one writer of the registry go at a time; held to the end of the transaction.
select pg_advisory_xact_lock(hashtext('kerbsafe registry'))

-- anything_received --
-- True once observations were received: then no fact may begin in the past.
select exists (select from batch where received > 0)

-- create_company --
-- Create a company ($1 code, $2 name, $3 district) unless it is there.
insert into company (code, name, district) values ($1, $2, $3) on conflict (code) do nothing

-- create_vehicles --
-- Create those vehicles of company $1 that are not there, with facts from $6 on; returns how many.
-- $2 codes, $3 plates, $4 kinds, $5 limits.
with given as (
    select * from unnest($2::text[], $3::text[], $4::text[], $5::smallint[]) as given (code, plate, kind, limit_kmh)
), created as (
    insert into vehicle (code, plate) select code, plate from given order by code
    on conflict (code) do nothing
    returning vehicle_id, code
), described as (
    insert into vehicle_version (vehicle_id, valid_from, company_id, kind, limit_kmh)
    select created.vehicle_id, $6, company.company_id, given.kind, given.limit_kmh
    from created join given using (code) join company on company.code = $1
    returning vehicle_id
)
select count(*) from described

-- snapshot_companies --
-- Companies as they are. $1 is not used: companies have no versions.
select code, name, district, phone from company where $1::timestamptz is not null

-- snapshot_vehicles --
-- Vehicles with the version in force at $1.
select distinct on (vehicle.vehicle_id) vehicle.code, company.code as company, kind, limit_kmh,
       driver.code as driver_on_duty, plate
from vehicle join vehicle_version using (vehicle_id) join company using (company_id) left join driver using (driver_id)
where valid_from <= $1
order by vehicle.vehicle_id, valid_from desc

-- snapshot_devices --
-- Devices as they are. $1 is not used: devices have no versions.
select login, vehicle.code as vehicle, model
from device join vehicle using (vehicle_id) where $1::timestamptz is not null

-- snapshot_drivers --
-- Drivers with the version in force at $1.
select distinct on (driver.driver_id) driver.code, company.code as company, driver.name, driver.phone, qualified_until
from driver join driver_version using (driver_id) join company using (company_id)
where valid_from <= $1
order by driver.driver_id, valid_from desc

-- snapshot_fences --
-- Fences with the version in force at $1.
select distinct on (fence_id) code, kind, name, geometry, source_datum, limit_kmh, schedule, max_dwell_s, retired
from fence join fence_version using (fence_id)
where valid_from <= $1
order by fence_id, valid_from desc

-- snapshot_passes --
-- Passes with the version in force at $1.
select distinct on (pass.pass_id) pass.code, vehicle.code as vehicle, fence.code as fence, starts_at, ends_at, schedule
from pass join pass_version using (pass_id) join vehicle using (vehicle_id) join fence using (fence_id)
where valid_from <= $1
order by pass.pass_id, valid_from desc

-- put_companies --
-- Create or change companies: $1 codes, $2 names, $3 districts, $4 telephones.
insert into company (code, name, district, phone)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
on conflict (code) do update set name = excluded.name, district = excluded.district, phone = excluded.phone

-- put_vehicles --
-- Create vehicles or change what rules do not read of them: $1 codes, $2 plates.
insert into vehicle (code, plate)
select * from unnest($1::text[], $2::text[])
on conflict (code) do update set plate = excluded.plate

-- put_vehicle_versions --
-- Add versions of vehicles: $1 codes, $2 starts, $3 companies, $4 kinds, $5 limits, $6 drivers on duty.
-- A version of the same start, which is not in force yet, is replaced.
insert into vehicle_version (vehicle_id, valid_from, company_id, kind, limit_kmh, driver_id)
select vehicle_id, given.valid_from, company_id, given.kind, given.limit_kmh, driver_id
from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::smallint[], $6::text[])
     as given (code, valid_from, company, kind, limit_kmh, driver)
join vehicle on vehicle.code = given.code join company on company.code = given.company
left join driver on driver.code = given.driver
on conflict (vehicle_id, valid_from) do update
set company_id = excluded.company_id, kind = excluded.kind, limit_kmh = excluded.limit_kmh,
    driver_id = excluded.driver_id, recorded_at = now()

-- put_devices --
-- Create devices without credentials, or change them: $1 logins, $2 vehicles, $3 models.
insert into device (login, vehicle_id, model)
select given.login, vehicle_id, given.model
from unnest($1::text[], $2::text[], $3::text[]) as given (login, vehicle, model)
join vehicle on vehicle.code = given.vehicle
on conflict (login) do update set vehicle_id = excluded.vehicle_id, model = excluded.model

-- put_drivers --
-- Create drivers or change what rules do not read of them: $1 codes, $2 names, $3 phones.
insert into driver (code, name, phone)
select * from unnest($1::text[], $2::text[], $3::text[])
on conflict (code) do update set name = excluded.name, phone = excluded.phone

-- put_driver_versions --
-- Add versions of drivers: $1 codes, $2 starts, $3 companies, $4 last days of qualification.
insert into driver_version (driver_id, valid_from, company_id, qualified_until)
select driver_id, given.valid_from, company_id, given.qualified_until
from unnest($1::text[], $2::timestamptz[], $3::text[], $4::date[])
     as given (code, valid_from, company, qualified_until)
join driver on driver.code = given.code join company on company.code = given.company
on conflict (driver_id, valid_from) do update
set company_id = excluded.company_id, qualified_until = excluded.qualified_until, recorded_at = now()

-- create_fences --
-- Create fences that are not there, still without a version: $1 codes.
insert into fence (code) select unnest($1::text[]) on conflict (code) do nothing

-- put_fence_versions --
-- Add versions of fences: $1 codes, $2 starts, $3 kinds, $4 names, $5 geometries, $6 datums of the file,
-- $7 limits, $8 schedules, $9 longest stays, $10 retired. Geometries and schedules are JSON text.
insert into fence_version
    (fence_id, valid_from, kind, name, geometry, source_datum, limit_kmh, schedule, max_dwell_s, retired)
select fence_id, given.valid_from, given.kind, given.name, given.geometry::jsonb, given.source_datum,
       given.limit_kmh, given.schedule::jsonb, given.max_dwell_s, given.retired
from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::smallint[], $8::text[], $9::integer[], $10::boolean[])
     as given (code, valid_from, kind, name, geometry, source_datum, limit_kmh, schedule, max_dwell_s, retired)
join fence on fence.code = given.code
on conflict (fence_id, valid_from) do update
set kind = excluded.kind, name = excluded.name, geometry = excluded.geometry,
    source_datum = excluded.source_datum, limit_kmh = excluded.limit_kmh, schedule = excluded.schedule,
    max_dwell_s = excluded.max_dwell_s, retired = excluded.retired, recorded_at = now()

-- create_passes --
-- Create passes that are not there, still without a version: $1 codes.
insert into pass (code) select unnest($1::text[]) on conflict (code) do nothing

-- put_pass_versions --
-- Add versions of passes: $1 codes, $2 starts, $3 vehicles, $4 fences, $5 and $6 what the pass allows,
-- $7 schedules as JSON text.
insert into pass_version (pass_id, valid_from, vehicle_id, fence_id, starts_at, ends_at, schedule)
select pass_id, given.valid_from, vehicle_id, fence_id, given.starts_at, given.ends_at, given.schedule::jsonb
from unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
     as given (code, valid_from, vehicle, fence, starts_at, ends_at, schedule)
join pass on pass.code = given.code
join vehicle on vehicle.code = given.vehicle
join fence on fence.code = given.fence
on conflict (pass_id, valid_from) do update
set vehicle_id = excluded.vehicle_id, fence_id = excluded.fence_id, starts_at = excluded.starts_at,
    ends_at = excluded.ends_at, schedule = excluded.schedule, recorded_at = now()

-- list_vehicles --
-- Vehicles with the version in force at $1 and the number of their devices with credentials.
select distinct on (vehicle.code collate "C") vehicle.code, company.code as company, kind, limit_kmh, valid_from,
       (select count(*) from device
        where device.vehicle_id = vehicle.vehicle_id and secret_hash is not null and revoked_at is null) as devices
from vehicle join vehicle_version using (vehicle_id) join company using (company_id)
where valid_from <= $1
order by vehicle.code collate "C", valid_from desc

-- count_registry --
-- How many of each kind there are.
select (select count(*) from company) as companies,
       (select count(*) from vehicle) as vehicles,
       (select count(*) from device where revoked_at is null) as devices,
       (select count(*) from driver) as drivers,
       (select count(*) from fence) as fences,
       (select count(*) from pass) as passes
