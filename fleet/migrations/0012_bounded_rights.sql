-- Bounds of the rights of our processes that a grant cannot say: which rows, which values, how far back.
--
-- A trigger asks `current_user`: it binds the role of a process and nobody else, so the owner's commands and an
-- installation without roles are as before. The roles and their grants: deploy/roles.sql, fleet/grants.sql.
-- What reads a table has a fixed search_path: what a role puts into its temporary schema is not found instead.

create function present() returns timestamptz language sql stable
set search_path = public, pg_temp as $$
-- Event time by the server's clock: wall time, or what the clock of a sandbox shows.
select coalesce((select event_at + (clock_timestamp() - wall_at) * rate
                 from installation join sandbox_clock using (only_row) where sandbox), clock_timestamp())
$$;

create function refuse(rule text) returns void language plpgsql as $$
begin
    raise exception '% may not do this: %', session_user, rule using errcode = 'insufficient_privilege';
end $$;

-- The count is the trigger's own: no process needs a right to it.
alter function registry_changed() security definer set search_path = public, pg_temp;

-- ---------------------------------------------------------------- room for days

create or replace function make_days(timed text, first_day date, last_day date) returns integer language plpgsql
security definer set search_path = public, pg_temp as $$
-- Make room in a timed table for UTC days, ahead of their first row; returns how many of them had none.
-- It acts in the owner's name; who is not the owner makes room around the present only.
declare
    today   date := (present() at time zone 'UTC')::date;
    missing date[];
    day     date;
    part    text;
begin
    if timed not in ('fix', 'camera_event', 'device_health') then
        perform refuse(format('%s is not split by day', timed));
    end if;
    if not pg_has_role(session_user, current_user, 'member')
       and (first_day < today - 36 or last_day > today + 5) then
        perform refuse('room is made for 36 days before the present day to 5 days after it');
    end if;
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

-- ---------------------------------------------------------------- rulebooks

create function check_rulebook() returns trigger language plpgsql set search_path = public, pg_temp as $$
-- A process records the first version; ingest also a later one, of its settings, which begins a minute ahead. Half of
-- that is left for clocks that differ. One that is recorded already is left to `on conflict`.
begin
    if exists (select from rulebook where version = new.version) then
        return new;
    end if;
    if exists (select from rulebook)
       and (current_user = 'kerbsafe_worker' or new.valid_from < present() + interval '30 seconds') then
        perform refuse('what was judged by one rulebook is not judged by another');
    end if;
    return new;
end $$;
create trigger check_rulebook before insert on rulebook for each row
    when (current_user in ('kerbsafe_ingest', 'kerbsafe_worker')) execute function check_rulebook();

-- ---------------------------------------------------------------- observations

create function check_replacement() returns trigger language plpgsql set search_path = public, pg_temp as $$
-- What is stored gives way only to what was received nearer to its own time (ingest/queries.sql decides): so it came
-- ahead of its time, or within this hour. An hour, for clocks that differ.
declare
    stored_at timestamptz := (select received_at from batch where batch_id = old.batch_id);
begin
    if exists (select from batch where batch_id = new.batch_id) then
        perform refuse('an observation is replaced by one of the batch under way');
    end if;
    if (greatest(present() - old.time, old.time - present())
        <= greatest(stored_at - old.time, old.time - stored_at) + interval '1 hour') is not true then
        perform refuse('a stored observation gives way only to one that was received nearer to its time');
    end if;
    return new;
end $$;

create function check_reject_count() returns trigger language plpgsql as $$
begin
    if new.observations < old.observations then
        perform refuse('what was rejected is added up, never less');
    end if;
    return new;
end $$;
create trigger check_reject_count before update on reject for each row
    when (current_user = 'kerbsafe_ingest') execute function check_reject_count();

-- ---------------------------------------------------------------- judged rows

create function check_provisional() returns trigger language plpgsql as $$
-- Of episodes and turns: the hot path says what is provisional, and does not touch what is settled.
begin
    if tg_op = 'UPDATE' and old.status = 'settled' then
        perform refuse('what is settled is the settler''s');
    end if;
    if new.status <> 'provisional' or new.settled_as is not null or new.settled_at is not null then
        perform refuse('the hot path judges provisionally');
    end if;
    return new;
end $$;

create function check_unsettled() returns trigger language plpgsql as $$
begin
    if new.settled_at is not null then
        perform refuse('a segment is settled by the settler');
    end if;
    return new;
end $$;
create trigger check_unsettled before insert or update on segment for each row
    when (current_user = 'kerbsafe_ingest') execute function check_unsettled();

create function check_raised() returns trigger language plpgsql as $$
begin
    if new.state <> 'open' then
        perform refuse('an alert begins open');
    end if;
    return new;
end $$;
create trigger check_raised before insert on alert for each row
    when (current_user in ('kerbsafe_ingest', 'kerbsafe_worker')) execute function check_raised();

create function check_step() returns trigger language plpgsql as $$
-- The changes of an alert's state that are the role's: alerts/lifecycle.py has the whole table.
begin
    if current_user = 'kerbsafe_worker' and new.state <> old.state and (old.state, new.state) not in (
        ('open', 'withdrawn'), ('acknowledged', 'withdrawn'), ('withdrawn', 'open'),
        ('open', 'expired'), ('acknowledged', 'expired')
    ) then
        perform refuse('what people do to an alert is the console''s, and their disposition stays');
    end if;
    if current_user = 'kerbsafe_console' and (
        new.actions <> old.actions + 1
        or new.state <> old.state and new.state not in ('open', 'acknowledged', 'resolved')
    ) then
        perform refuse('a person''s step is one action, and withdrawing is the settler''s');
    end if;
    return new;
end $$;
create trigger check_step before update on alert for each row
    when (current_user in ('kerbsafe_worker', 'kerbsafe_console')) execute function check_step();

create function check_actor() returns trigger language plpgsql as $$
-- Nobody writes an action in another's name: the worker its own, the console those of people and programs.
begin
    if current_user = 'kerbsafe_worker'
       and (new.actor_kind <> 'system' or new.action not in ('withdrawn', 'revived', 'expired')) then
        perform refuse('it records its own actions, not a person''s');
    end if;
    if current_user = 'kerbsafe_console'
       and (new.actor_kind = 'system' or new.action in ('withdrawn', 'revived', 'expired')) then
        perform refuse('it records what people and programs do, not what the system does');
    end if;
    return new;
end $$;
create trigger check_actor before insert on alert_action for each row
    when (current_user in ('kerbsafe_worker', 'kerbsafe_console')) execute function check_actor();

-- ---------------------------------------------------------------- forgetting

create function check_forgotten() returns trigger language plpgsql set search_path = public, pg_temp as $$
-- Only what is old is deleted. First argument: the days after which it may be; second: the column of its time.
declare
    too_young bigint;
begin
    execute format('select count(*) from gone where %I >= present() - make_interval(days => $1)', tg_argv[1])
        into too_young using tg_argv[0]::integer;
    if too_young > 0 then
        perform refuse(format('%s of %s rows are younger than %s days', too_young, tg_table_name, tg_argv[0]));
    end if;
    return null;
end $$;
-- A day less than is kept (alerts/queries.sql), for clocks that differ.
create trigger check_forgotten after delete on batch referencing old table as gone for each statement
    when (current_user = 'kerbsafe_worker') execute function check_forgotten('35', 'received_at');
create trigger check_forgotten after delete on alert_feed referencing old table as gone for each statement
    when (current_user = 'kerbsafe_worker') execute function check_forgotten('6', 'at');
create trigger check_forgotten after delete on episode referencing old table as gone for each statement
    when (current_user = 'kerbsafe_worker') execute function check_forgotten('89', 'started_at');

create function check_shadow() returns trigger language plpgsql as $$
begin
    if old.mode = 'live' then
        perform refuse('only what rules in shadow found is forgotten');
    end if;
    return old;
end $$;
create trigger check_shadow before delete on episode for each row
    when (current_user = 'kerbsafe_worker') execute function check_shadow();

do $$
declare
    bound text;
begin
    foreach bound in array array['fix', 'camera_event', 'device_health'] loop
        execute format('create trigger check_replacement before update on %I for each row '
                       'when (current_user = ''kerbsafe_ingest'') execute function check_replacement()', bound);
    end loop;
    foreach bound in array array['episode', 'right_turn'] loop
        execute format('create trigger check_provisional before insert or update on %I for each row '
                       'when (current_user = ''kerbsafe_ingest'') execute function check_provisional()', bound);
    end loop;
end $$;
