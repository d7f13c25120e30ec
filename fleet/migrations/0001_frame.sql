-- The frame: registry, observations, the batch ledger, judged rows.
--
-- Units stand in column names. In `fix` an unknown value is a sentinel (-1; altitude -32768), not NULL:
-- binary COPY from arrays needs fixed-width rows, and the view `fix_readable` gives people NULLs and
-- degrees. Facts that rules read are rows with `valid_from`; the one in force is chosen by a fix's time.

-- ---------------------------------------------------------------- the store itself

create table installation (
    only_row      boolean primary key default true check (only_row),
    -- A sandbox plays recorded drives faster than they were driven: its clock is `sandbox_clock`.
    sandbox       boolean not null default false,
    created_at    timestamptz not null default now()
);

create table sandbox_clock (
    only_row      boolean primary key default true check (only_row),
    wall_at       timestamptz not null,
    event_at      timestamptz not null,
    rate          double precision not null check (rate > 0)
);

create function timed_table(shape regclass, name text) returns void language plpgsql as $$
-- Turn an empty table into one that is split by day on its column `time`: a hypertable where
-- TimescaleDB is installed, native partitions elsewhere.
begin
    if exists (select from pg_extension where extname = 'timescaledb') then
        execute format('create table %I (like %s including all)', name, shape);
        perform create_hypertable(name::regclass, by_range('time', interval '1 day'),
                                  create_default_indexes => false);
    else
        execute format('create table %I (like %s including all) partition by range (time)', name, shape);
    end if;
    execute format('drop table %s', shape);
end $$;

create function days_of(timed text) returns setof date stable language plpgsql as $$
-- The UTC days that a timed table has room for.
begin
    if exists (select from pg_extension where extname = 'timescaledb') then
        return query
            select (range_start at time zone 'UTC')::date from timescaledb_information.chunks
            where hypertable_schema = current_schema() and hypertable_name = timed;
    else
        return query select right(inhrelid::regclass::text, 8)::date from pg_inherits where inhparent = timed::regclass;
    end if;
end $$;

create function make_days(timed text, first_day date, last_day date) returns integer language plpgsql as $$
-- Make room in a timed table for UTC days, ahead of their first row; returns how many of them had none.
declare
    missing date[];
    day     date;
    part    text;
begin
    perform pg_advisory_xact_lock(hashtextextended('kerbsafe make_days', 0));
    missing := array(select first_day + n from generate_series(0, last_day - first_day) n
                     except select days_of(timed));
    if exists (select from pg_extension where extname = 'timescaledb') then
        -- Only the Timescale edition can be told to make a chunk; in both a row makes it, and goes at once.
        execute (
            select format('insert into %I (%s) select %s from unnest($1) day', timed,
                          string_agg(quote_ident(attname), ', ' order by attnum),
                          string_agg(case atttypid when 'timestamptz'::regtype then 'day::timestamp at time zone ''UTC'''
                                                   when 'text'::regtype then ''''''
                                                   else '0' end, ', ' order by attnum))
            from pg_attribute where attrelid = timed::regclass and attnum > 0 and attnotnull and not attisdropped
        ) using missing;
        execute format('delete from %I where vehicle_id = 0', timed);
    else
        foreach day in array missing loop
            -- Made apart and then attached, so that readers and writers of the other days need not wait.
            part := format('%s_%s', timed, to_char(day, 'YYYYMMDD'));
            execute format('create table %I (like %I including all)', part, timed);
            execute format('alter table %I attach partition %I for values from (%L) to (%L)', timed, part,
                           day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        end loop;
    end if;
    return cardinality(missing);
end $$;

-- ---------------------------------------------------------------- registry

create table company (
    company_id    integer generated always as identity primary key,
    code          text not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$'),
    name          text not null default '',
    district      text not null default ''
);

create table vehicle (
    vehicle_id    integer generated always as identity primary key,
    code          text not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$'),
    plate         text not null default '',
    registered_at timestamptz not null default now()
);

-- What rules read of a vehicle, effective-dated. The first version also holds for every time before it.
create table vehicle_version (
    vehicle_id    integer not null references vehicle,
    valid_from    timestamptz not null,
    company_id    integer not null references company,
    kind          text not null check (kind in ('mixer', 'bulk_cement', 'mortar', 'silo_carrier', 'pump', 'other')),
    -- NULL: the rulebook's limit of the kind.
    limit_kmh     smallint check (limit_kmh between 1 and 200),
    recorded_at   timestamptz not null default now(),
    primary key (vehicle_id, valid_from)
);

create table device (
    device_id     integer generated always as identity primary key,
    -- The login at the broker; the topics it may write follow from its vehicle.
    login         text not null unique check (login ~ '^[A-Za-z0-9_-]{1,64}$'),
    vehicle_id    integer not null references vehicle,
    -- In the broker's own format, never the secret itself; NULL until credentials are issued.
    secret_hash   text,
    model         text not null default '',
    created_at    timestamptz not null default now(),
    revoked_at    timestamptz
);
create index device_vehicle on device (vehicle_id);

-- Logins of our own services at the broker. The dot keeps them apart from the logins of devices.
create table service_account (
    login         text primary key check (login ~ '^kerbsafe\.[a-z0-9_-]{1,55}$'),
    role          text not null check (role in ('ingest', 'gateway')),
    secret_hash   text not null,
    created_at    timestamptz not null default now(),
    revoked_at    timestamptz
);

create table driver (
    driver_id     integer generated always as identity primary key,
    code          text not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$'),
    name          text not null default '',
    phone         text not null default ''
);

-- What rules read of a driver, effective-dated.
create table driver_version (
    driver_id     integer not null references driver,
    valid_from    timestamptz not null,
    company_id    integer not null references company,
    -- Last civil day of the qualification; NULL: none is known, which is not qualified.
    qualified_until date,
    recorded_at   timestamptz not null default now(),
    primary key (driver_id, valid_from)
);

create table fence (
    fence_id      integer generated always as identity primary key,
    code          text not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$')
);

create table fence_version (
    fence_id      integer not null references fence,
    valid_from    timestamptz not null,
    kind          text not null check (kind in
                      ('site', 'forbidden', 'permitted', 'speed_zone', 'must_stop', 'district')),
    name          text not null default '',
    -- GeoJSON Polygon or MultiPolygon, WGS 84.
    geometry      jsonb not null,
    -- The datum that the file was in, before conversion.
    source_datum  text not null default 'wgs84' check (source_datum in ('wgs84', 'gcj02', 'bd09')),
    limit_kmh     smallint check (limit_kmh between 1 and 200),
    -- Weekly local-time windows (fleet/schedule.py); NULL: always.
    schedule      jsonb,
    max_dwell_s   integer check (max_dwell_s > 0),
    retired       boolean not null default false,
    recorded_at   timestamptz not null default now(),
    primary key (fence_id, valid_from)
);

create table pass (
    pass_id       integer generated always as identity primary key,
    code          text not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$')
);

-- `valid_from` is when this version counts for rules; [starts_at, ends_at) is what the pass allows.
create table pass_version (
    pass_id       integer not null references pass,
    valid_from    timestamptz not null,
    vehicle_id    integer not null references vehicle,
    fence_id      integer not null references fence,
    starts_at     timestamptz not null,
    ends_at       timestamptz not null check (ends_at > starts_at),
    schedule      jsonb,
    recorded_at   timestamptz not null default now(),
    primary key (pass_id, valid_from)
);

create table rulebook (
    version       text primary key,
    valid_from    timestamptz not null unique,
    document      text not null,
    recorded_at   timestamptz not null default now()
);

-- Grows with every change of what readers keep in memory of the registry.
create table registry_revision (
    only_row      boolean primary key default true check (only_row),
    revision      bigint not null default 1
);
insert into registry_revision default values;

create function registry_changed() returns trigger language plpgsql as $$
-- Count the change. The notification is a hint to read again; the revision is the truth.
begin
    update registry_revision set revision = revision + 1;
    perform pg_notify('kerbsafe_registry', '');
    return null;
end $$;

do $$
declare
    watched text;
begin
    foreach watched in array array['company', 'vehicle', 'vehicle_version', 'driver', 'driver_version',
                                   'fence', 'fence_version', 'pass', 'pass_version', 'rulebook'] loop
        execute format('create trigger registry_changed after insert or update or delete or truncate on %I '
                       'for each statement execute function registry_changed()', watched);
    end loop;
end $$;

-- ---------------------------------------------------------------- observations and their ledger

-- One row a committed batch of the hot path: received = stored + duplicates + rejected.
create table batch (
    batch_id      bigint generated by default as identity primary key,
    received_at   timestamptz not null,
    source        text not null check (source in ('live', 'history', 'tick')),
    messages      integer not null default 0,
    received      integer not null default 0,
    stored        integer not null default 0,
    duplicates    integer not null default 0,
    rejected      integer not null default 0,
    -- Fixes judged by the hot path; the rest of the stored fixes wait for the settler.
    judged        integer not null default 0,
    check (received = stored + duplicates + rejected)
);
create index batch_received_at on batch (received_at);

create table fix_shape (
    vehicle_id    integer     not null,
    time          timestamptz not null,
    batch_id      bigint      not null,
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
    primary key (vehicle_id, time)
);
select timed_table('fix_shape', 'fix');

create view fix_readable as
select vehicle.code as vehicle, fix.time, batch.received_at,
       lat_udeg / 1e6 as lat, lon_udeg / 1e6 as lon,
       nullif(speed_dkmh, -1) / 10.0 as speed_kmh,
       nullif(course_deg, -1) as course_deg,
       nullif(altitude_m, -32768) as altitude_m,
       nullif(odometer_hm, -1) / 10.0 as odometer_km,
       nullif(satellites, -1) as satellites,
       nullif(hdop_tenths, -1) / 10.0 as hdop,
       nullif(limit_kmh, -1) as limit_kmh,
       case when flags & 1 > 0 then flags & 2 > 0 end as ignition,
       case when flags & 4 > 0 then flags & 8 > 0 end as right_indicator,
       case when flags & 16 > 0 then flags & 32 > 0 end as left_indicator,
       case when flags & 64 > 0 then flags & 128 > 0 end as brake,
       case when flags & 256 > 0 then case when flags & 512 > 0 then 'loaded' else 'empty' end end as load,
       flags & 1024 > 0 as no_position
from fix join vehicle using (vehicle_id) left join batch using (batch_id);

create table camera_event_shape (
    vehicle_id    integer     not null,
    time          timestamptz not null,
    event_id      text        not null,
    batch_id      bigint      not null,
    side          smallint    not null,
    target        smallint    not null,
    phase         smallint    not null,
    lat_udeg      integer     not null,
    lon_udeg      integer     not null,
    speed_dkmh    smallint    not null,
    evidence      text        not null,
    primary key (vehicle_id, time, event_id)
);
select timed_table('camera_event_shape', 'camera_event');

create table device_health_shape (
    vehicle_id    integer     not null,
    time          timestamptz not null,
    batch_id      bigint      not null,
    camera        smallint    not null,
    power         smallint    not null,
    gnss          smallint    not null,
    firmware      text        not null,
    primary key (vehicle_id, time)
);
select timed_table('device_health_shape', 'device_health');

-- What units answered to commands.
create table command_ack (
    vehicle_id    integer not null,
    command_id    text not null,
    time          timestamptz not null,
    result        text not null,
    batch_id      bigint not null,
    primary key (vehicle_id, command_id, time)
);

-- What was not stored, and why. A row with a payload is one observation; a row without counts many.
create table reject (
    reject_id     bigint generated always as identity primary key,
    batch_id      bigint not null references batch on delete cascade,
    received_at   timestamptz not null,
    reason        text not null,
    topic         text not null,
    vehicle_id    integer,
    observations  integer not null default 1 check (observations > 0),
    detail        text not null default '',
    payload       bytea
);
create index reject_received_at on reject (received_at);

-- ---------------------------------------------------------------- judged rows, owned by alerts/store.py

-- What live has stored without judging, or what has changed under a settled segment: a row a vehicle
-- and batch, from the earliest to the latest such fix.
create table dirty (
    dirty_id      bigint generated always as identity primary key,
    vehicle_id    integer not null,
    time          timestamptz not null,
    until         timestamptz not null check (until >= time),
    marked_at     timestamptz not null
);
create index dirty_vehicle on dirty (vehicle_id, time);

create table segment (
    vehicle_id    integer not null references vehicle,
    started_at    timestamptz not null,
    -- Beginning of the next segment; NULL while this is the vehicle's last.
    ended_at      timestamptz,
    -- When the settler judged it whole; NULL again when it has grown since.
    settled_at    timestamptz,
    primary key (vehicle_id, started_at)
);
create index segment_unsettled on segment (started_at) where settled_at is null;

create table episode (
    -- UUIDv5 of (vehicle, rule, mode, provisional start): the same judgement has the same id.
    episode_id    uuid primary key,
    vehicle_id    integer not null references vehicle,
    company_id    integer references company,
    rule          text not null,
    -- `live`, or `shadow:<rulebook version>`.
    mode          text not null,
    rulebook      text not null,
    -- [started_at, ended_at); NULL while open.
    started_at    timestamptz not null,
    ended_at      timestamptz,
    ended_as      text check (ended_as in ('closed', 'lost', 'rule_change')),
    severity      smallint not null check (severity between 1 and 4),
    peak          double precision not null,
    limit_value   double precision,
    limit_source  text,
    -- Figures of the rule, by name, with units in the names.
    measures      jsonb not null default '{}',
    status        text not null check (status in ('provisional', 'settled', 'withdrawn')),
    -- How settling saw it; NULL while provisional.
    settled_as    text check (settled_as in ('confirmed', 'amended', 'added', 'withdrawn')),
    merged_into   uuid references episode,
    revision      integer not null default 1,
    decided_at    timestamptz not null,
    settled_at    timestamptz,
    check ((ended_at is null) = (ended_as is null)),
    check (ended_at >= started_at)
);
create index episode_vehicle on episode (vehicle_id, started_at);
create index episode_started on episode (started_at);

-- An episode that a person should judge. Its id is the episode's.
create table alert (
    alert_id      uuid primary key references episode,
    state         text not null check (state in ('open', 'acknowledged', 'resolved', 'withdrawn', 'expired')),
    -- Judged so late that nobody could have acted: listed, never paged.
    late          boolean not null default false,
    raised_at     timestamptz not null,
    -- A settled judgement differs from what a person has resolved.
    evidence_changed boolean not null default false,
    actions       integer not null default 0
);
create index alert_raised on alert (raised_at desc, alert_id);

-- Append-only: who did what to an alert, when and why.
create table alert_action (
    action_id     bigint generated always as identity primary key,
    alert_id      uuid not null references alert,
    at            timestamptz not null,
    actor         text not null,
    action        text not null,
    reason        text not null default ''
);
create index alert_action_alert on alert_action (alert_id, action_id);

-- An alert as people and programs read it: the feed, the API and the command line show this one shape.
create view alert_readable as
select alert_id, vehicle.code as vehicle, company.code as company, episode.rule, episode.severity,
       episode.started_at, episode.ended_at, episode.ended_as,
       episode.peak, episode.limit_value as "limit", episode.limit_source, episode.measures,
       alert.state, episode.status, episode.settled_as, episode.merged_into, episode.revision,
       alert.late, alert.evidence_changed, episode.rulebook, alert.raised_at, episode.decided_at,
       episode.settled_at, alert.actions
from alert
join episode on episode_id = alert_id
join vehicle using (vehicle_id)
left join company on company.company_id = episode.company_id;

-- What readers follow: ids are in commit order (drawn under one advisory lock as the last step).
create sequence alert_feed_id;
create table alert_feed (
    feed_id       bigint primary key,
    at            timestamptz not null,
    alert_id      uuid not null references alert,
    change        text not null,
    -- The row of `alert_readable` at that moment.
    body          jsonb not null
);
create index alert_feed_at on alert_feed (at);

-- Checkpoints of the live engine.
create table vehicle_state (
    vehicle_id     integer primary key references vehicle,
    engine_version integer not null,
    saved_batch_id bigint not null,
    -- Newest fix judged.
    watermark      timestamptz not null,
    segment_started_at timestamptz not null,
    last_motion_at timestamptz,
    state          bytea not null
);
