-- Drops whole days of fixes, camera events and health reports, and their space with them:
--
--     psql -d kerbsafe -U kerbsafe_owner -v keep_days=400 -f deploy/drop-days.sql
--
-- For installations without a cold store (docs/scale.md). Tracks must be kept at least 183 days. Judged rows (episodes,
-- turns, alerts) stay; what is dropped can no longer be settled again or replayed, and is said not to be kept. A day of
-- which something is held and not sealed ends the script: nothing is dropped then.
\set ON_ERROR_STOP on
\if :{?keep_days}
\else
\warn 'say how many days to keep: -v keep_days=400'
\quit
\endif
select set_config('kerbsafe.keep_days', :'keep_days', false) \gset ignored_

do $$
declare
    keep_days constant integer := current_setting('kerbsafe.keep_days');
    before    constant date := (now() at time zone 'UTC')::date - keep_days;
    timed     text;
    day       date;
begin
    if keep_days < 183 then
        raise exception 'tracks must be kept at least 183 days, not %', keep_days;
    end if;
    foreach timed in array array['fix', 'camera_event', 'device_health'] loop
        for day in select known from days_of(timed) as known where known < before order by 1 loop
            perform drop_day(timed, day);
            raise notice 'dropped % of %', day, timed;
        end loop;
    end loop;
end $$;
