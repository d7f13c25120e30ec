-- find_installation --
-- The one row that says what kind of database this is.
select sandbox from installation;

-- found_installation --
-- $1 sandbox. Written once, when the database is made.
insert into installation (sandbox) values ($1);

-- start_sandbox_clock --
-- A new sandbox shows wall time until somebody moves its clock.
insert into sandbox_clock (wall_at, event_at, rate) select now(), now(), 1 where not exists (select from sandbox_clock);

-- read_clock --
-- Whether this is a sandbox, and the anchor of its clock.
select sandbox, wall_at, event_at, rate from installation left join sandbox_clock using (only_row);

-- set_clock --
-- $1 wall_at, $2 event_at, $3 rate. Does nothing outside a sandbox. Tells running processes at once.
with moved as (
    insert into sandbox_clock (wall_at, event_at, rate)
    select $1, $2, $3 from installation where sandbox
    on conflict (only_row) do update set wall_at = $1, event_at = $2, rate = $3
    returning true as done
)
select done from moved, pg_notify('kerbsafe_clock', '');

-- server_time --
-- What the clock of the server shows.
select clock_timestamp();

-- grade --
-- The licence of TimescaleDB in this database; no row where it is not used.
select current_setting('timescaledb.license', true) as license from pg_extension where extname = 'timescaledb';

-- make_days --
-- $1 tables, $2 first day, $3 last day. The number of days, over all tables, that had no room before.
select coalesce(sum(make_days(name, $2::date, $3::date)), 0)::integer from unnest($1::text[]) name;

-- days_ahead --
-- $1 tables, $2 today, $3 how far to look. Days after today that every table has room for, in unbroken order;
-- -1 when there is none for today.
select coalesce(min(n), $3::integer + 1) - 1 from generate_series(0, $3::integer) n
where exists (select from unnest($1::text[]) name where $2::date + n not in (select days_of(name)));
