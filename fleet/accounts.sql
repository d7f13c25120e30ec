-- lock_accounts --
-- Let one writer of credentials and of the broker's files go at a time; held until the session ends.
select pg_advisory_lock(hashtext('kerbsafe accounts'))

-- find_device --
-- A device by its login.
select vehicle.code as vehicle, secret_hash is not null as has_secret, revoked_at
from device join vehicle using (vehicle_id) where login = $1

-- put_device_secret --
-- Give a login ($1) of a vehicle ($2) the hash of a new secret ($3); a revoked one is in use again.
insert into device (login, vehicle_id, secret_hash)
select $1, vehicle_id, $3 from vehicle where code = $2
on conflict (login) do update set secret_hash = excluded.secret_hash, revoked_at = null

-- find_service --
-- One of our own services by its login.
select role, revoked_at from service_account where login = $1

-- put_service_secret --
-- Give a service ($1 login, $2 role) the hash of a new secret ($3); a revoked one is in use again.
insert into service_account (login, role, secret_hash) values ($1, $2, $3)
on conflict (login) do update
set role = excluded.role, secret_hash = excluded.secret_hash, revoked_at = null

-- revoke --
-- Take a login back, of a device or a service; returns how many were in use.
with devices as (
    update device set revoked_at = now() where login = $1 and revoked_at is null returning login
), services as (
    update service_account set revoked_at = now() where login = $1 and revoked_at is null returning login
)
select (select count(*) from devices) + (select count(*) from services)

-- device_accounts --
-- Devices with credentials in use, and the companies of their vehicles at $1 and later, and those of the 35 days before:
-- for as long a unit may send what it has kept, on the topic of that time.
select login, secret_hash, vehicle.code as vehicle, array_agg(distinct company.code) as companies
from device
join vehicle using (vehicle_id)
join lateral (
    select company_id from vehicle_version
    where vehicle_version.vehicle_id = vehicle.vehicle_id and valid_from > $1::timestamptz - interval '35 days'
    union all
    (select company_id from vehicle_version
     where vehicle_version.vehicle_id = vehicle.vehicle_id and valid_from <= $1::timestamptz - interval '35 days'
     order by valid_from desc limit 1)
) as version on true
join company using (company_id)
where secret_hash is not null and revoked_at is null
group by login, secret_hash, vehicle.code

-- service_accounts --
-- Our own services with credentials in use.
select login, secret_hash, role from service_account where revoked_at is null

-- list_accounts --
-- All logins, without their secrets.
select login, vehicle, role, model, state
from (
    select login, vehicle.code as vehicle, 'device' as role, model,
           case when revoked_at is not null then 'revoked'
                when secret_hash is null then 'no secret' else 'in use' end as state
    from device join vehicle using (vehicle_id)
    union all
    select login, null, role, '', case when revoked_at is not null then 'revoked' else 'in use' end
    from service_account
) as found
order by login collate "C"
