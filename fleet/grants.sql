-- Who may do what in the database: one role a process, and no right that it does not need.
--
-- Run by `kerbsafe migrate` after the migrations, as the owner of the tables, where the roles exist
-- (deploy/roles.sql makes them). It says all of it: what is not granted here is taken back. Which rows and which
-- values, where a grant cannot say it, is bound by triggers (fleet/migrations/0012_bounded_rights.sql). What all of it
-- comes to, statement by statement, is tried by a test and shown in docs/operations.md.

revoke all on all tables in schema public from kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;
revoke all on all sequences in schema public from kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;

-- ---------------------------------------------------------------- what every process reads

grant select on migration, installation, sandbox_clock, registry_revision,
                vehicle_version, fence, fence_version, pass, pass_version, rulebook, batch,
                fix, camera_event, device_health, segment, episode, right_turn, alert, alert_feed,
                vehicle_state, transport_gap, archived_day, archive_part, dropped_day
    to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;
grant select on alert_readable to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;
-- Not a driver's name, and no telephone: the console alone says whom to call.
grant select (driver_id, code) on driver to kerbsafe_ingest, kerbsafe_worker;
grant select (company_id, code, name, district) on company to kerbsafe_ingest, kerbsafe_worker;
grant select on driver_version to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;
-- Not the plate.
grant select (vehicle_id, code, registered_at) on vehicle to kerbsafe_ingest, kerbsafe_worker;

-- ---------------------------------------------------------------- what the hot path and the settler write

-- The first of them records the first rulebook; ingest one that its settings name, a minute ahead.
grant insert (version, valid_from, document) on rulebook to kerbsafe_ingest, kerbsafe_worker;

grant insert, update on episode, right_turn to kerbsafe_ingest, kerbsafe_worker;
grant insert on segment to kerbsafe_ingest, kerbsafe_worker;
grant update (ended_at, settled_at) on segment to kerbsafe_ingest, kerbsafe_worker;
grant insert (alert_id, state, late, raised_at) on alert to kerbsafe_ingest, kerbsafe_worker;
grant insert on alert_feed to kerbsafe_ingest, kerbsafe_worker;
grant usage on sequence alert_feed_id to kerbsafe_ingest, kerbsafe_worker;
-- Whoever tells the feed queues what a channel may have to tell.
grant select on notice_channel to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;
grant insert on outbox to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;

grant insert on fix, camera_event, device_health to kerbsafe_ingest;
-- A replacement: whose observation it is and when it was measured stay.
grant update (batch_id, lat_udeg, lon_udeg, odometer_hm, speed_dkmh, course_deg, altitude_m, satellites, hdop_tenths,
              limit_kmh, flags) on fix to kerbsafe_ingest;
grant update (batch_id, side, target, phase, lat_udeg, lon_udeg, speed_dkmh, evidence) on camera_event
    to kerbsafe_ingest;
grant update (batch_id, camera, power, gnss, firmware) on device_health to kerbsafe_ingest;
grant insert on batch, reject, dirty, command_ack to kerbsafe_ingest;
-- What is rejected beyond what is kept is added to the row of the hour.
grant select (hour, reason, vehicle_id, observations), update (observations) on reject to kerbsafe_ingest;
grant usage on sequence batch_batch_id_seq to kerbsafe_ingest;
grant select on command_ack to kerbsafe_ingest, kerbsafe_console;
-- Commands: ingest brings them to the broker and queues prompts of rules, the console those of people.
grant select, insert on command to kerbsafe_ingest, kerbsafe_console;
grant select, insert on prompt to kerbsafe_ingest;
-- Whose observations are refused and why; not the bytes, which may hold anything.
grant select (vehicle_id, received_at, reason) on reject to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;
grant select, insert, update on vehicle_state, transport_known to kerbsafe_ingest;
-- What the broker lost: noted once, and changed by nobody.
grant insert on transport_gap to kerbsafe_ingest;
grant select, insert, update, delete on arrival_hold to kerbsafe_ingest;

-- Making room for coming days makes tables, which only their owner may: the function does it in the owner's name.
revoke execute on function make_days(text, date, date) from public;
grant execute on function make_days(text, date, date) to kerbsafe_ingest;
revoke execute on function timed_table(regclass, text) from public;

grant update (state, proposed, late, evidence_changed, actions) on alert to kerbsafe_worker;
-- Append-only for everybody: no process may change or delete what was done to an alert.
grant insert on alert_action to kerbsafe_worker;
grant insert, update, delete on notice_channel to kerbsafe_worker;
grant select, update, delete on outbox to kerbsafe_worker;
grant delete on segment, alert_feed, batch to kerbsafe_worker;
-- What rules in shadow found, after 90 days.
grant delete on episode to kerbsafe_worker;
-- What it has added and goes on it looks at again.
grant select, insert, delete on dirty to kerbsafe_worker;

-- What is known of a day or a month is added to and closed, never changed: the table says so to everybody.
grant select on month_fact, vehicle_day, vehicle_day_county to kerbsafe_worker, kerbsafe_console;
grant insert, update (known_to) on month_fact, vehicle_day to kerbsafe_worker;
grant insert on vehicle_day_county to kerbsafe_worker;
-- Triggers say what has changed, in the owner's name; the worker takes it up.
grant select, delete on day_touched to kerbsafe_worker;
grant select, insert, delete on month_due to kerbsafe_worker;
grant select on day_run to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;
grant insert, update on day_run to kerbsafe_worker;

-- ---------------------------------------------------------------- what the console reads and writes

grant select (driver_id, code, name, phone) on driver to kerbsafe_console;
grant select on company, vehicle, alert_action, fix_readable to kerbsafe_console;
grant select, insert, update on console_user, api_token to kerbsafe_console;
-- A person's step: the state, never the judgement.
grant update (state, disposition, proposed, evidence_changed, actions) on alert to kerbsafe_console;
grant insert on alert_action, alert_feed to kerbsafe_console;
grant usage on sequence alert_feed_id to kerbsafe_console;
grant select, insert, update, delete on console_session, console_browser to kerbsafe_console;

-- The ledger of accidents: added to, and never changed; and what vehicles recorded around them.
grant select, insert on accident, accident_version, accident_casualty, accident_vehicle, accident_evidence
    to kerbsafe_console;
-- The tracks around them are sealed as they are entered; a hold is released by the owner alone.
grant select, insert on legal_hold, hold_seal, sealed_fix to kerbsafe_console;
grant select on hold_release to kerbsafe_console;

-- Turning places: the console shows them. Who founds them is the command `kerbsafe places`, as the owner.
grant select on turn_place to kerbsafe_console;
-- Data quality by model of terminal: not the login, and not its secret.
grant select (vehicle_id, model, revoked_at) on device to kerbsafe_console;

-- ---------------------------------------------------------------- who did what

-- Append-only for everybody, the owner too; and what stands in it is for administrators.
grant insert on audit to kerbsafe_ingest, kerbsafe_worker, kerbsafe_console;
grant select on audit to kerbsafe_console;
-- What is too old, in the owner's name: the function says what that is, and leaves an entry.
revoke execute on function purge_audit(integer) from public;
grant execute on function purge_audit(integer) to kerbsafe_worker;

-- ---------------------------------------------------------------- what the gateway reads

-- Which telephone is the terminal of which truck; it writes nothing, and sees no secret. Only an installation that
-- takes terminals of JT/T 808 has the role.
do $$
begin
    if exists (select from pg_roles where rolname = 'kerbsafe_gateway') then
        revoke all on all tables in schema public from kerbsafe_gateway;
        revoke all on all sequences in schema public from kerbsafe_gateway;
        grant select on migration, vehicle_version to kerbsafe_gateway;
        grant select (login, vehicle_id, model, revoked_at) on device to kerbsafe_gateway;
        grant select (vehicle_id, code) on vehicle to kerbsafe_gateway;
        grant select (company_id, code) on company to kerbsafe_gateway;
    end if;
end
$$;
