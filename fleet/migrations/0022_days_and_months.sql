-- What a month amounts to. A figure that changes is restated: the old row says until when it was known, and stays.

create table month_fact (
    -- `city`, or what it is part of, with its code.
    scope         text not null check (scope ~ '^(city|(county|company|plant|vehicle):[A-Za-z0-9_-]{1,64})$'),
    month         date not null check (extract(day from month) = 1),
    -- As analytics/facts/measures.py lists them.
    measure       text not null check (measure ~ '^[a-z][a-z0-9_]{0,39}$'),
    value         double precision not null check (value >= 0 and value < 'infinity'),
    -- Share of what ought to have been seen that was; NULL: declared, nothing is to be seen.
    coverage      double precision check (coverage between 0 and 1),
    source        text not null check (source in ('measured', 'declared', 'simulated')),
    -- It was what we knew in [known_from, known_to); NULL: it still is.
    known_from    timestamptz not null,
    known_to      timestamptz check (known_to > known_from),
    -- Who said so, and in which file; "" of what is measured.
    who           text not null default '',
    origin        text not null default '',
    primary key (month, scope, measure, known_from),
    check (coverage is not null or source <> 'measured'),
    check ((who = '') = (source = 'measured'))
);
-- One figure holds at a time.
create unique index month_fact_standing on month_fact (month, scope, measure) where known_to is null;

create function only_closes() returns trigger language plpgsql as $$
-- Of a version only one thing is written later, and once: until when it held.
begin
    if tg_op = 'UPDATE' then
        if old.known_to is null and to_jsonb(new) - 'known_to' = to_jsonb(old) - 'known_to' then
            return new;
        end if;
    end if;
    raise exception '% is append-only: a version is followed by another, never changed', tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete on month_fact for each row execute function only_closes();
create trigger keep_all before truncate on month_fact for each statement execute function append_only();

-- ---------------------------------------------------------------- days

-- What one vehicle did on a civil day, once all of it was settled. Sums are whole millimetres and microseconds.
create table vehicle_day (
    vehicle_id    integer not null references vehicle,
    day           date not null,
    known_from    timestamptz not null,
    known_to      timestamptz check (known_to > known_from),
    measure_version smallint not null,
    -- Whose it was when the day began.
    company_id    integer references company,
    -- How well the day was seen: analytics/exposure/vehicle_day.py, `Seen`.
    fixes         bigint not null,
    fixes_valid   bigint not null,
    jumps         bigint not null,
    silent_us     bigint not null,
    unseen_us     bigint not null,
    unseen_mm     bigint not null,
    -- What was driven: `Way`.
    distance_mm        bigint not null,
    fine_mm       bigint not null,
    driven_us     bigint not null,
    stood_us      bigint not null,
    trips         bigint not null,
    -- What was judged: analytics/days/judged.py, `Judged`.
    right_turns   bigint not null,
    evaluable     bigint not null,
    looked        bigint not null,
    armed         bigint not null,
    conflicts     bigint not null,
    must_stop     bigint not null,
    not_stopped   bigint not null,
    too_fast      bigint not null,
    bends         bigint not null,
    speedings     bigint not null,
    fatigues      bigint not null,
    fatigue_us    bigint not null,
    forbidden_entries bigint not null,
    permitted_left bigint not null,
    alerts        bigint not null,
    alerts_resolved bigint not null,
    -- The odometer and the positions over the same ways; NULL: it sent none. Where it contradicts itself: how.
    odometer_mm   bigint,
    positions_mm  bigint,
    odometer_fault text,
    primary key (vehicle_id, day, known_from),
    check ((odometer_mm is null) = (positions_mm is null))
);
create unique index vehicle_day_standing on vehicle_day (day, vehicle_id) where known_to is null;

-- What of it lay in a county; the rest is outside of all, or nobody knows where. Columns as above.
create table vehicle_day_county (
    vehicle_id    integer not null,
    day           date not null,
    known_from    timestamptz not null,
    -- The fence of the district.
    county_id     integer not null references fence,
    distance_mm        bigint not null,
    fine_mm       bigint not null,
    driven_us     bigint not null,
    stood_us      bigint not null,
    trips         bigint not null,
    right_turns   bigint not null,
    evaluable     bigint not null,
    looked        bigint not null,
    armed         bigint not null,
    conflicts     bigint not null,
    must_stop     bigint not null,
    not_stopped   bigint not null,
    too_fast      bigint not null,
    bends         bigint not null,
    speedings     bigint not null,
    fatigues      bigint not null,
    fatigue_us    bigint not null,
    forbidden_entries bigint not null,
    permitted_left bigint not null,
    alerts        bigint not null,
    alerts_resolved bigint not null,
    primary key (vehicle_id, day, known_from, county_id),
    foreign key (vehicle_id, day, known_from) references vehicle_day
);

create trigger append_only before update or delete on vehicle_day for each row execute function only_closes();
create trigger keep_all before truncate on vehicle_day for each statement execute function append_only();
create trigger append_only before update or delete on vehicle_day_county for each row execute function append_only();
create trigger keep_all before truncate on vehicle_day_county for each statement execute function append_only();

-- ---------------------------------------------------------------- what has changed since

-- Vehicle-days of which something has changed. A row is deleted by whoever has read it and what it speaks of in one
-- snapshot; what is committed later stays. Written by the triggers below alone, so that nobody can forget it.
create table day_touched (
    touch_id      bigint generated always as identity primary key,
    vehicle_id    integer not null,
    day           date not null,
    -- The fixes have changed, or how they are read; false: only judgements, which are counted again.
    remeasure     boolean not null
);
create index day_touched_day on day_touched (day, vehicle_id);

-- Months of which a vehicle-day has changed since their facts were written.
create table month_due (
    month         date primary key check (extract(day from month) = 1)
);

-- What the worker made of its nights; a row a run.
create table day_run (
    run_id        bigint generated always as identity primary key,
    began_at      timestamptz not null,
    ended_at      timestamptz,
    vehicle_days  integer not null default 0,
    -- Why it was broken off; "": it was not.
    failure       text not null default ''
);

create function civil_day(moment timestamptz) returns date language sql immutable as $$
-- The civil day of a moment: eight hours ahead of UTC, without summer time (fleet/schedule.py).
select (moment at time zone 'UTC' + interval '8 hours')::date
$$;

create function touch_late_data() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
-- The settler has judged a dirty interval: its days have other fixes. An hour on either side decides how they are read.
begin
    insert into day_touched (vehicle_id, day, remeasure)
    select old.vehicle_id, day, true
    from generate_series(civil_day(old.time - interval '1 hour'), civil_day(old.until + interval '1 hour'), '1 day') as day;
    return null;
end $$;
create trigger touch_day after delete on dirty for each row execute function touch_late_data();

create function touch_judged() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
-- The settler has judged an episode or a turn: it is counted on the day on which it began, or had begun.
-- $1 the column that says when.
begin
    insert into day_touched (vehicle_id, day, remeasure)
    select distinct new.vehicle_id, civil_day((began ->> tg_argv[0])::timestamptz), false
    from unnest(case tg_op when 'INSERT' then array[to_jsonb(new)] else array[to_jsonb(old), to_jsonb(new)] end) as began;
    return null;
end $$;
create trigger touch_day after insert or update on episode for each row
    when (new.status <> 'provisional' and new.mode = 'live') execute function touch_judged('started_at');
create trigger touch_day after insert or update on right_turn for each row
    when (new.status <> 'provisional') execute function touch_judged('entered_at');

create function touch_handled() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
-- Somebody has resolved an alert, or it was withdrawn or revived.
begin
    insert into day_touched (vehicle_id, day, remeasure)
    select vehicle_id, civil_day(started_at), false from episode where episode_id = new.alert_id;
    return null;
end $$;
create trigger touch_day after update on alert for each row when (old.state <> new.state)
    execute function touch_handled();

create function touch_company() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
-- Whose vehicle it was is said anew, perhaps of days that are closed.
declare
    since date := civil_day(case tg_op when 'DELETE' then old.valid_from else new.valid_from end);
begin
    insert into day_touched (vehicle_id, day, remeasure)
    select vehicle_id, day, false from vehicle_day
    where vehicle_id = case tg_op when 'DELETE' then old.vehicle_id else new.vehicle_id end
      and known_to is null
      -- A vehicle's first version also holds for every time before it.
      and (day >= since or not exists (
              select from vehicle_version as earlier
              where earlier.vehicle_id = vehicle_day.vehicle_id and civil_day(earlier.valid_from) < since));
    return null;
end $$;
create trigger touch_day after insert or update or delete on vehicle_version for each row
    execute function touch_company();

create function touch_district() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
-- A county has another boundary: where everything was since then is looked up again.
begin
    insert into day_touched (vehicle_id, day, remeasure)
    select vehicle_id, day, true from vehicle_day where known_to is null and day >= civil_day(new.valid_from);
    return null;
end $$;
create trigger touch_day after insert or update on fence_version for each row
    when (new.kind = 'district') execute function touch_district();
