-- What people and the settler do to an alert, and the notices that go out of it.

alter table alert
    -- What a person made of it; kept until it is reopened.
    add column disposition text
        check (disposition in ('confirmed', 'false_positive', 'not_actionable', 'device_fault')),
    -- Dismissing a critical alert takes two people: what the first of them has proposed.
    add column proposed text check (proposed in ('false_positive', 'not_actionable')),
    add check (disposition is null or state = 'resolved'),
    add check (proposed is null or state in ('open', 'acknowledged'));

-- Nothing has written here yet. `version` is what `alert.actions` became: the steps of an alert are 1, 2, 3...
alter table alert_action
    add column version integer not null,
    add column actor_kind text not null check (actor_kind in ('person', 'program', 'system')),
    add column disposition text
        check (disposition in ('confirmed', 'false_positive', 'not_actionable', 'device_fault')),
    add check (action in ('acknowledged', 'proposed', 'resolved', 'reopened', 'commented', 'withdrawn',
                          'revived', 'expired')),
    add unique (alert_id, version);
drop index alert_action_alert;

create function append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: what was done stays on record', tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete on alert_action
    for each row execute function append_only();

create or replace view alert_readable as
select alert_id, vehicle.code as vehicle, company.code as company, episode.rule, episode.severity,
       episode.started_at, episode.ended_at, episode.ended_as,
       episode.peak, episode.limit_value as "limit", episode.limit_source, episode.measures,
       alert.state, episode.status, episode.settled_as, episode.merged_into, episode.revision,
       alert.late, alert.evidence_changed, episode.rulebook, alert.raised_at, episode.decided_at,
       episode.settled_at, alert.actions, alert.disposition, alert.proposed
from alert
join episode on episode_id = alert_id
join vehicle using (vehicle_id)
left join company on company.company_id = episode.company_id;

-- Where notices go; written by the worker from its settings. Without a row nothing is queued.
create table notice_channel (
    channel       text primary key check (channel in ('webhook')),
    min_severity  smallint not null check (min_severity between 1 and 4)
);

-- What a channel may have to tell, written with the feed's entry in the same transaction. The worker decides
-- (alerts/notify.py), sends, and keeps what became of it.
create table outbox (
    outbox_id     bigint generated always as identity primary key,
    -- The same in every attempt, so that receivers can drop repeats.
    message_id    uuid not null unique default gen_random_uuid(),
    channel       text not null,
    alert_id      uuid not null references alert,
    -- As in alert_feed.
    at            timestamptz not null,
    change        text not null,
    body          jsonb not null,
    group_key     text not null generated always as ((body ->> 'vehicle') || ' ' || (body ->> 'rule')) stored,
    severity      smallint not null generated always as ((body ->> 'severity')::smallint) stored,
    -- Wall time, as all that follows.
    queued_at     timestamptz not null default now(),
    -- Why it is told, or `grouped`: why not. NULL: nobody has looked at it yet.
    reason        text check (reason in ('raised', 'worsened', 'resolved', 'reopened', 'withdrawn', 'grouped')),
    -- Alerts of the same rule and vehicle that were not told since the notice before.
    repeats       integer not null default 0,
    tries         integer not null default 0,
    next_try_at   timestamptz,
    -- Set while an attempt is under way.
    claimed_at    timestamptz,
    ended_at      timestamptz,
    ended_as      text check (ended_as in ('delivered', 'dead', 'grouped')),
    -- What the receiver, or the network, said last.
    answer        text not null default '',
    check ((ended_at is null) = (ended_as is null)),
    check (reason is null or reason = 'grouped' or next_try_at is not null)
);
create index outbox_alert on outbox (alert_id, outbox_id);
create index outbox_group on outbox (group_key, outbox_id);
create index outbox_pending on outbox (outbox_id) where ended_at is null;
create index outbox_queued on outbox (queued_at);

-- Who may act on alerts besides administrators; and what a program's token is good for.
alter table console_user drop constraint console_user_role_check,
    add constraint console_user_role_check check (role in ('administrator', 'operator', 'viewer'));
alter table api_token add column scope text not null default 'read' check (scope in ('read', 'act'));
