-- prompts --
-- What rules had to tell drivers from $1 to before $2, as it stands at $3, with the speeds around it.
select prompt.rule, prompt.at, prompt.command_id is null as held_out,
       command_state(final.result, sent.time, command.expires_at, $3::timestamptz) as state,
       around.times, around.speeds
from prompt
left join command using (command_id)
left join lateral (
    select time from command_ack
    where command_ack.vehicle_id = prompt.vehicle_id and command_ack.command_id = prompt.command_id::text
      and result = 'sent' limit 1
) as sent on true
left join lateral (
    select result from command_ack
    where command_ack.vehicle_id = prompt.vehicle_id and command_ack.command_id = prompt.command_id::text
      and result <> 'sent' order by result <> 'done', batch_id, time limit 1
) as final on true
left join lateral (
    select array_agg(time order by time) as times, array_agg(speed_dkmh::int order by time) as speeds from fix
    where fix.vehicle_id = prompt.vehicle_id
      and time between prompt.at - interval '5 seconds' and prompt.at + interval '12 seconds'
) as around on true
where prompt.at >= $1 and prompt.at < $2
order by prompt.at
