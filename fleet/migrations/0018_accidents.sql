-- The accident ledger: what was known of each accident, and when. Nothing in it is changed or deleted.
--
-- A version is a whole account. `known_from` is when its reporter knew it, `recorded_at` when the ledger did; as of T
-- counts, of what was recorded by T, the account that was known last. What is derived (counts, severity, scope) is not
-- stored. Of people no name is kept, of vehicles other than the fleet's no plate.

create table accident (
    accident_id   integer generated always as identity primary key,
    -- The number by which it was reported first.
    code          text not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$')
);

create table accident_version (
    accident_id   integer not null references accident,
    version       integer not null check (version > 0),
    recorded_at   timestamptz not null,
    known_from    timestamptz not null,
    status        text not null
        check (status in ('reported', 'followed_up', 'determined', 'closed', 'withdrawn')),
    reason        text not null
        check (reason in ('new', 'late', 'deaths_within_7_days', 'deaths_within_30_days', 'responsibility',
                          'correction', 'closed', 'not_counted', 'merged', 'reinstated')),
    who           text not null check (who <> ''),
    -- What they said of it, and the file that it came from.
    why           text not null,
    -- The accident that this one is the same as.
    merged_into   integer references accident,

    reporter      text not null check (reporter in ('police', 'company', 'insurer', 'other')),
    police_handled boolean not null,
    police_no     text not null,
    claim_no      text not null,
    occurred_at   timestamptz not null,
    -- False: only the civil day is known, and occurred_at is its midnight.
    occurred_exact boolean not null,
    county        text not null,
    place         text not null,
    -- Codes of GA/T 16 (analytics/ledger/codes.py), or what stood there.
    road_class    text not null,
    weather       text not null,
    lighting      text not null,
    form          text not null,
    -- NULL: nobody has said.
    loss_yuan     bigint check (loss_yuan >= 0),
    -- False: there may be more people hurt than are listed.
    casualties_known boolean not null,
    primary key (accident_id, version),
    check (known_from <= recorded_at),
    check ((merged_into is not null) = (reason = 'merged')),
    check ((status = 'withdrawn') = (reason in ('not_counted', 'merged'))),
    check (merged_into <> accident_id)
);
create index accident_version_occurred on accident_version (occurred_at);

create table accident_casualty (
    accident_id   integer not null,
    version       integer not null,
    seq           integer not null check (seq > 0),
    role          text not null
        check (role in ('pedestrian', 'cyclist', 'ebike', 'motorcycle', 'car', 'own_driver', 'own_passenger',
                        'worker', 'unknown')),
    injury        text not null check (injury in ('dead', 'serious', 'light')),
    died_at       timestamptz,
    -- False: only the civil day is known.
    died_exact    boolean,
    -- Where only a count says so: dead within 7 days, or from day 8 to 30.
    died_within_days integer check (died_within_days in (7, 30)),
    primary key (accident_id, version, seq),
    foreign key (accident_id, version) references accident_version,
    check ((died_at is null) = (died_exact is null)),
    check (died_within_days is null or (died_at is null and injury = 'dead'))
);

create table accident_vehicle (
    accident_id   integer not null,
    version       integer not null,
    seq           integer not null check (seq > 0),
    is_fleet      boolean not null,
    vehicle_id    integer references vehicle,
    -- Of a vehicle of the fleet that was not registered.
    plate         text not null check (plate = '' or (is_fleet and vehicle_id is null)),
    -- On the day of the accident.
    company_id    integer references company,
    kind          text not null,
    manoeuvre     text not null,
    responsibility text
        check (responsibility in ('full', 'main', 'equal', 'minor', 'none', 'pending', 'undeterminable')),
    primary key (accident_id, version, seq),
    foreign key (accident_id, version) references accident_version,
    check (is_fleet or (vehicle_id is null and company_id is null))
);

create function check_accident_version() returns trigger language plpgsql set search_path = public, pg_temp as $$
-- Versions are counted 1, 2, 3 and recorded one after the other: an old answer stays as it was given.
declare
    last accident_version := (select v from accident_version v where accident_id = new.accident_id
                              order by version desc limit 1);
begin
    if new.version <> coalesce(last.version, 0) + 1 or new.recorded_at < last.recorded_at then
        raise exception 'version % of accident % does not follow the one before it', new.version, new.accident_id
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger check_accident_version before insert on accident_version
    for each row execute function check_accident_version();

do $$
declare
    kept text;
begin
    foreach kept in array array['accident', 'accident_version', 'accident_casualty', 'accident_vehicle'] loop
        execute format('create trigger append_only before update or delete on %I for each row '
                       'execute function append_only()', kept);
        execute format('create trigger keep_all before truncate on %I for each statement '
                       'execute function append_only()', kept);
    end loop;
end $$;
