-- Tracks that last: days that are archived as files, days that are gone, and what is held for a court.

-- ---------------------------------------------------------------- the cold store

-- A UTC day of fixes that is in the cold store; of a day without data, too.
create table archived_day (
    day           date primary key,
    archived_at   timestamptz not null default now()
);

-- A file of the cold store. It is never changed: what comes later is another part.
create table archive_part (
    day           date not null references archived_day on delete cascade,
    name          text not null,
    fixes         bigint not null check (fixes > 0),
    bytes         bigint not null check (bytes > 0),
    sha256        text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    primary key (day, name)
);

-- A day that a timed table had and no longer has. One of `fix` that is not in the cold store either is not kept.
create table dropped_day (
    timed         text not null check (timed in ('fix', 'camera_event', 'device_health')),
    day           date not null,
    dropped_at    timestamptz not null default now(),
    primary key (timed, day)
);

-- ---------------------------------------------------------------- what is held

-- The track of a vehicle in [from_at, until_at) that may not be forgotten.
create table legal_hold (
    hold_id       integer generated always as identity primary key,
    vehicle_id    integer not null references vehicle,
    -- As it was then: what is sealed names the vehicle by it.
    vehicle       text not null,
    from_at       timestamptz not null,
    until_at      timestamptz not null check (until_at > from_at),
    reason        text not null check (length(reason) between 1 and 500),
    placed_by     text not null,
    placed_at     timestamptz not null default now()
);
create index legal_hold_span on legal_hold (from_at, until_at);

create table hold_release (
    hold_id       integer primary key references legal_hold,
    reason        text not null check (length(reason) between 1 and 500),
    released_by   text not null,
    released_at   timestamptz not null default now()
);

-- One act of sealing: at first, and again for what has come since.
create table hold_seal (
    hold_id       integer not null references legal_hold,
    seal          integer not null check (seal > 0),
    fixes         integer not null check (fixes >= 0),
    -- SHA-256 of what fleet/archive/seal.py makes of the rows.
    sha256        bytea not null check (octet_length(sha256) = 32),
    sealed_at     timestamptz not null default now(),
    primary key (hold_id, seal)
);

create table sealed_fix (
    hold_id       integer     not null,
    seal          integer     not null,
    time          timestamptz not null,
    lat_udeg      integer     not null,
    lon_udeg      integer     not null,
    odometer_hm   integer     not null,
    speed_dkmh    smallint    not null,
    course_deg    smallint    not null,
    altitude_m    smallint    not null,
    satellites    smallint    not null,
    hdop_tenths   smallint    not null,
    limit_kmh     smallint    not null,
    flags         smallint    not null,
    -- Of this row alone, so that a row which was changed can be named.
    sha256        bytea       not null check (octet_length(sha256) = 32),
    primary key (hold_id, time),
    foreign key (hold_id, seal) references hold_seal
);

do $$
declare
    kept text;
begin
    foreach kept in array array['legal_hold', 'hold_release', 'hold_seal', 'sealed_fix'] loop
        execute format('create trigger append_only before update or delete on %I for each row '
                       'execute function append_only()', kept);
        execute format('create trigger append_only_whole before truncate on %I for each statement '
                       'execute function append_only()', kept);
    end loop;
end $$;

-- ---------------------------------------------------------------- letting a day go

create function day_part(timed text, given date) returns text stable language plpgsql as $$
-- The table in which a timed table keeps a UTC day; NULL where there is none.
begin
    if exists (select from pg_extension where extname = 'timescaledb') then
        return (select format('%I.%I', chunk_schema, chunk_name) from timescaledb_information.chunks
                where hypertable_schema = current_schema() and hypertable_name = timed
                  and range_start = given::timestamp at time zone 'UTC');
    end if;
    return to_regclass(format('%s_%s', timed, to_char(given, 'YYYYMMDD')))::text;
end $$;

create function lock_day(timed text, given date) returns void language plpgsql as $$
-- Let nobody write to a UTC day until the transaction ends.
begin
    if day_part(timed, given) is not null then
        execute format('lock table %s in share mode', day_part(timed, given));
    end if;
end $$;

create function drop_day(timed text, gone date) returns void language plpgsql as $$
-- Drop a UTC day with its space, and remember that. Not while a hold needs rows that nothing else has.
declare
    begins constant timestamptz := gone::timestamp at time zone 'UTC';
    ends   constant timestamptz := (gone + 1)::timestamp at time zone 'UTC';
    held   integer;
begin
    if timed not in ('fix', 'camera_event', 'device_health') then
        perform refuse(format('%s is not split by day', timed));
    end if;
    execute format(
        'select min(hold_id) from legal_hold as hold where from_at < $2 and until_at > $1 '
        'and not exists (select from hold_release where hold_release.hold_id = hold.hold_id) '
        'and exists (select from %I as row where row.vehicle_id = hold.vehicle_id '
        'and row.time >= greatest($1, from_at) and row.time < least($2, until_at) %s)',
        timed,
        case timed when 'fix' then 'and not exists (select from sealed_fix as sealed '
                                   'where sealed.hold_id = hold.hold_id and sealed.time = row.time)'
                   else '' end
    ) into held using begins, ends;
    if held is not null then
        perform refuse(format('hold %s needs rows of %s of %s', held, timed, gone));
    end if;
    if exists (select from pg_extension where extname = 'timescaledb') then
        perform drop_chunks(timed::regclass, older_than => ends, newer_than => begins);
    elsif day_part(timed, gone) is not null then
        execute format('drop table %s', day_part(timed, gone));
    end if;
    insert into dropped_day (timed, day) values (timed, gone)
    on conflict on constraint dropped_day_pkey do update set dropped_at = now();
end $$;
revoke execute on function lock_day(text, date), drop_day(text, date) from public;
