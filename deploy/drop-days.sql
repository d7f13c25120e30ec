-- Drops whole days of fixes, camera events and health reports, and their space with them:
--
--     psql -d kerbsafe -U kerbsafe_owner -v keep_days=400 -f deploy/drop-days.sql
--
-- Tracks must be kept at least 183 days. Judged rows (episodes, turns, alerts) stay; what is dropped can no longer
-- be settled again or replayed.
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
    part      text;
begin
    if keep_days < 183 then
        raise exception 'tracks must be kept at least 183 days, not %', keep_days;
    end if;
    foreach timed in array array['fix', 'camera_event', 'device_health'] loop
        if exists (select from pg_extension where extname = 'timescaledb') then
            for part in select drop_chunks(timed::regclass, older_than => before::timestamp at time zone 'UTC') loop
                raise notice 'dropped %', part;
            end loop;
        else
            for part in
                select inhrelid::regclass::text from pg_inherits
                where inhparent = timed::regclass and right(inhrelid::regclass::text, 8)::date < before order by 1
            loop
                execute format('drop table %s', part);
                raise notice 'dropped %', part;
            end loop;
        end if;
    end loop;
end $$;
