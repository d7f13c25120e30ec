-- What is ordered of units and terminals, what they answer, and prompts that rules give to drivers.

-- Append-only. What became of a command is not kept here: it follows from what units and gateways say of it
-- (command_ack) and from the time, by `command_state`.
create table command (
    command_id    uuid primary key,
    vehicle_id    integer not null references vehicle,
    -- Wall time, as the times below.
    queued_at     timestamptz not null,
    -- Neither sent nor carried out from then on.
    expires_at    timestamptz not null check (expires_at > queued_at),
    -- As fleet/commands/orders.py names them, with what belongs to each.
    kind          text not null,
    content       jsonb not null,
    -- As in audit: who asked for it.
    actor_kind    text not null check (actor_kind in ('person', 'program', 'command', 'system')),
    actor         text not null
);
create index command_vehicle on command (vehicle_id, queued_at);
create index command_expires on command (expires_at);

create function tell_command() returns trigger language plpgsql as $$
begin
    perform pg_notify('kerbsafe_command', '');
    return null;
end $$;
create trigger tell_command after insert on command for each statement execute function tell_command();

alter table command_ack
    add column detail  text not null default '',
    -- JSON, as the unit wrote it.
    add column answer  text,
    -- Which gateway; '': the unit itself.
    add column said_by text not null default '';

create function command_state(result text, sent_at timestamptz, expires_at timestamptz, now timestamptz)
returns text language sql immutable as $$
-- The state of a command whose first final answer is `result`, at a time. Who took it and says nothing is waited for
-- half a minute longer than it could be carried out: then nobody knows what became of it.
select case
    when result = 'done' then 'acknowledged'
    when result is not null then result
    when sent_at is not null then
        case when now > expires_at + interval '30 seconds' then 'timed_out' else 'sent' end
    when now > expires_at then 'expired'
    else 'queued'
end
$$;

-- What a rule had to tell a driver. One that was held out was decided as the others were, and not sent: what the
-- effect is compared with.
create table prompt (
    alert_id      uuid primary key references alert,
    vehicle_id    integer not null references vehicle,
    rule          text not null,
    -- Event time of the driving that it is about.
    at            timestamptz not null,
    -- Null: held out.
    command_id    uuid references command
);
create index prompt_vehicle on prompt (vehicle_id, rule, at);
create index prompt_at on prompt (at);

-- As alert_action: no row is changed or deleted, by anybody.
create trigger append_only before update or delete on command for each row execute function append_only();
create trigger append_only before update or delete on prompt for each row execute function append_only();

create function check_command_actor() returns trigger language plpgsql as $$
-- Nobody orders in another's name: ingest its prompts, the console what people and programs ask for.
begin
    if current_user = 'kerbsafe_ingest' and (new.actor_kind <> 'system' or new.kind <> 'prompt') then
        perform refuse('it gives prompts of rules, and orders nothing else');
    end if;
    if current_user = 'kerbsafe_console' and new.actor_kind not in ('person', 'program') then
        perform refuse('it orders what people and programs ask for');
    end if;
    return new;
end $$;
create trigger check_command_actor before insert on command for each row
    when (current_user in ('kerbsafe_ingest', 'kerbsafe_console')) execute function check_command_actor();
