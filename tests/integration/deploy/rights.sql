-- What is there when the statements of rights.py are tried; the owner makes it. Batches: 101 of yesterday, 102 of this
-- moment, 103 of long ago. Ids of episodes and turns as in rights.py.

insert into company (code) values ('acme');
insert into vehicle (code) values ('T1');
insert into vehicle_version (vehicle_id, valid_from, company_id, kind) select vehicle_id, now(), company_id, 'mixer'
    from vehicle, company;
insert into rulebook (version, valid_from, document) values ('r', 'epoch', '');
insert into batch (batch_id, received_at, source) values
    (101, now() - interval '1 day', 'live'), (102, now(), 'live'),
    (103, now() - interval '37 days', 'live');
insert into fix select vehicle_id, now() - interval '1 day', 101, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 from vehicle;
insert into fix select vehicle_id, now() - interval '1 minute', 102, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 from vehicle;
insert into camera_event select vehicle_id, now() - interval '1 day', 'e', 101, 1, 1, 1, 1, 1, 1, ''
    from vehicle;
insert into device_health select vehicle_id, now() - interval '1 day', 101, 1, 1, 1, '' from vehicle;
insert into reject (batch_id, received_at, reason, topic, hour, observations)
    values (101, now(), 'bad_time', '', now(), 10);
insert into segment (vehicle_id, started_at) select vehicle_id, now() - interval '1 day' from vehicle;
insert into episode (episode_id, vehicle_id, rule, mode, rulebook, started_at, severity, peak, status, settled_as,
    decided_at)
select id::uuid, vehicle_id, 'speeding', mode, 'r', now() - age::interval, 1, 1, status, verdict, now()
from vehicle, (values
    ('00000000-0000-0000-0000-000000000001', 'live', '1 hour', 'provisional', null),
    ('00000000-0000-0000-0000-000000000002', 'live', '1 day', 'settled', 'confirmed'),
    ('00000000-0000-0000-0000-000000000003', 'live', '1 hour', 'provisional', null),
    ('00000000-0000-0000-0000-000000000004', 'live', '91 days', 'settled', 'confirmed'),
    ('00000000-0000-0000-0000-000000000005', 'live', '91 days', 'settled', 'confirmed'),
    ('00000000-0000-0000-0000-000000000006', 'shadow:s', '91 days', 'settled', 'confirmed')
) as e (id, mode, age, status, verdict);
insert into alert (alert_id, state, disposition, raised_at)
    values ('00000000-0000-0000-0000-000000000003', 'open', null, now()),
    ('00000000-0000-0000-0000-000000000004', 'resolved', 'confirmed', now());
insert into alert_action (alert_id, version, at, actor_kind, actor, action)
    values ('00000000-0000-0000-0000-000000000004', 1, now(), 'person', 'li.na', 'resolved');
insert into alert_feed values (1, now(), '00000000-0000-0000-0000-000000000003', 'opened', '{}'),
    (2, now() - interval '8 days', '00000000-0000-0000-0000-000000000003', 'opened', '{}');
insert into right_turn (turn_id, vehicle_id, rulebook, entered_at, exited_at, lat_udeg, lon_udeg, course_change_deg,
    entry_kmh, min_kmh, max_kmh, path_m, radius_m, lateral_g, approach_kmh, approach_stood_s, interval_s, longest_s,
    confidence, status, decided_at)
select id::uuid, vehicle_id, 'r', now(), now(), 1, 1, 90, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, status, now()
from vehicle, (values ('00000000-0000-0000-0000-000000000001', 'provisional'),
    ('00000000-0000-0000-0000-000000000002', 'settled')) as t (id, status);
insert into driver (code, name, phone) values ('D1', 'n', 'p');
insert into dirty (vehicle_id, time, until, marked_at) select vehicle_id, now(), now(), now() from vehicle;
insert into vehicle_state select vehicle_id, 1, 1, now(), now(), now(), '' from vehicle;
insert into command (command_id, vehicle_id, queued_at, expires_at, kind, content, actor_kind, actor)
    select gen_random_uuid(), vehicle_id, now(), now() + interval '1 minute', 'locate', '{}', 'person', 'li.na' from vehicle;
insert into command_ack (vehicle_id, command_id, time, result, batch_id)
    select vehicle_id, 'before', now(), 'done', 101 from vehicle;
