-- queue_command --
-- Queue a command. $1 id, $2 code of the vehicle, $3 queued, $4 expires, $5 kind, $6 content, $7 actor kind, $8 actor.
insert into command (command_id, vehicle_id, queued_at, expires_at, kind, content, actor_kind, actor)
select $1, vehicle_id, $3, $4, $5, $6, $7, $8 from vehicle where code = $2

-- read_commands --
-- Commands as they stand at $1, newest first; of vehicle $2, of id $3 (null: any), from $4 to before $5, at most $6.
-- Of several answers the one that something was done counts, or the first.
select command.command_id, vehicle.code as vehicle, kind, content, actor_kind, actor, queued_at, expires_at,
       command_state(final.result, sent.time, expires_at, $1::timestamptz) as state,
       sent.time as sent_at, coalesce(final.said_by, sent.said_by, '') as gateway,
       final.time as answered_at, coalesce(final.detail, '') as detail, final.answer
from command
join vehicle using (vehicle_id)
left join lateral (
    select time, said_by from command_ack
    where command_ack.vehicle_id = command.vehicle_id and command_ack.command_id = command.command_id::text
      and result = 'sent' order by batch_id, time limit 1
) as sent on true
left join lateral (
    select time, result, said_by, detail, answer from command_ack
    where command_ack.vehicle_id = command.vehicle_id and command_ack.command_id = command.command_id::text
      and result <> 'sent' order by result <> 'done', batch_id, time limit 1
) as final on true
where ($2::text is null or vehicle.code = $2) and ($3::uuid is null or command.command_id = $3)
  and ($4::timestamptz is null or queued_at >= $4) and ($5::timestamptz is null or queued_at < $5)
order by queued_at desc, command.command_id limit $6

-- unheard_commands --
-- Commands that may still be carried out and of which nobody has said anything, oldest first. $1 now.
select command_id, vehicle.code as vehicle, company.code as company, kind, content, expires_at
from command
join vehicle using (vehicle_id)
join lateral (
    select company_id from vehicle_version
    where vehicle_version.vehicle_id = vehicle.vehicle_id
    order by valid_from <= $1 desc, abs(extract(epoch from valid_from - $1)) limit 1
) as version on true
join company using (company_id)
where expires_at > $1
  and not exists (select from command_ack where command_ack.vehicle_id = command.vehicle_id
                  and command_ack.command_id = command.command_id::text)
order by queued_at limit 1000

-- tally_commands --
-- How many of the commands that were queued since $2 are in which state at $1, but for prompts of rules.
select command_state(final.result, sent.time, expires_at, $1::timestamptz) as state, count(*) as commands
from command
left join lateral (
    select time from command_ack
    where command_ack.vehicle_id = command.vehicle_id and command_ack.command_id = command.command_id::text
      and result = 'sent' limit 1
) as sent on true
left join lateral (
    select result from command_ack
    where command_ack.vehicle_id = command.vehicle_id and command_ack.command_id = command.command_id::text
      and result <> 'sent' order by result <> 'done', batch_id, time limit 1
) as final on true
where queued_at >= $2 and actor_kind <> 'system' group by 1

-- parameters_told --
-- Each vehicle with a terminal of JT/T 808, and what it answered last when it was asked for the parameters of turns.
select vehicle.code as vehicle, told.time as told_at, told.answer
from vehicle
left join lateral (
    select command_ack.time, answer from command
    join command_ack on command_ack.vehicle_id = command.vehicle_id
        and command_ack.command_id = command.command_id::text
    where command.vehicle_id = vehicle.vehicle_id and kind = 'query' and result = 'done' and answer is not null
      and (content -> 'values' is null or content -> 'values' -> 'names' ? 'report_default_s')
    order by command_ack.time desc limit 1
) as told on true
where exists (select from device where device.vehicle_id = vehicle.vehicle_id and revoked_at is null
              and login ~ '^[0-9]{6,20}$')
order by vehicle.code
