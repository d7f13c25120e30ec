-- lock --
-- One migration run at a time in this database.
select pg_advisory_lock(hashtextextended('kerbsafe migrate', 0));

-- unlock --
-- Let the next one in.
select pg_advisory_unlock(hashtextextended('kerbsafe migrate', 0));

-- make_record --
-- The record of what has been applied.
create table if not exists migration (
    version     integer primary key check (version > 0),
    name        text not null,
    -- Of the file as it was applied.
    sha256      text not null,
    applied_at  timestamptz not null default now()
);

-- has_record --
-- Whether this database has been migrated at all.
select to_regclass('migration') is not null;

-- list_applied --
-- What has been applied, in order.
select version, name, sha256 from migration order by version;

-- record --
-- $1 version, $2 name, $3 sha256: written in the transaction that applies it.
insert into migration (version, name, sha256) values ($1, $2, $3);

-- find_timescaledb --
-- Whether the server has TimescaleDB, whether its library is loaded, and whether this database uses it.
select exists (select from pg_available_extensions where name = 'timescaledb') as available,
       current_setting('timescaledb.max_background_workers', true) is not null as loaded,
       exists (select from pg_extension where extname = 'timescaledb') as used;
