-- The roles of an installation, its database, and TimescaleDB in it. Run once by a superuser; again, it changes
-- nothing:
--
--     psql -U postgres -f deploy/roles.sql                    (or -v database=NAME)
--     psql -U postgres -c '\password kerbsafe_owner'          and so on for each role
--
-- kerbsafe_owner owns the tables and runs `kerbsafe migrate` and the commands of an operator. Each process has a
-- role of its own; `kerbsafe migrate` gives it exactly the rights that it needs (fleet/grants.sql). No role has a
-- password until it is given one, and without one nobody can log in over the network.

\set ON_ERROR_STOP on
\if :{?database}
\else
\set database kerbsafe
\endif

select format('create role %I login', name)
from unnest(array['kerbsafe_owner', 'kerbsafe_ingest', 'kerbsafe_worker', 'kerbsafe_console', 'kerbsafe_gateway']) as name
where name not in (select rolname from pg_roles)
\gexec

select format('create database %I owner kerbsafe_owner encoding ''UTF8'' template template0', :'database')
where :'database' not in (select datname from pg_database)
\gexec

-- A person's commands say which processes are connected, and since when.
select 'grant pg_read_all_stats to kerbsafe_owner'
where not pg_has_role('kerbsafe_owner', 'pg_read_all_stats', 'member')
\gexec

-- Nobody else may even connect. The hot path sorts a batch in temporary tables.
revoke all on database :"database" from public;
grant connect on database :"database" to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console, kerbsafe_gateway;
grant temporary on database :"database" to kerbsafe_ingest;

-- TimescaleDB where the server has it, unless `-v plain=yes` does without.
\connect :"database"
\if :{?plain}
\else
select 'create extension timescaledb' from pg_available_extensions
where name = 'timescaledb' and installed_version is null
\gexec
\endif
