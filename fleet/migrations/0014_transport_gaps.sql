-- When what devices sent may be missing, because the broker dropped it or forgot what it had kept.

create table transport_gap (
    gap_id      bigint generated always as identity primary key,
    -- queue_full: its queue had no room. session_forgotten: it no longer knew what ingest wants, nor what it kept for it.
    source      text not null check (source in ('queue_full', 'session_forgotten')),
    -- Of session_forgotten: which session.
    session     text not null default '',
    from_at     timestamptz not null,
    until_at    timestamptz not null check (until_at >= from_at),
    -- How many are missing at most; NULL: nobody can know.
    messages    bigint check (messages > 0),
    noted_at    timestamptz not null
);
create index transport_gap_until on transport_gap (until_at);

-- Up to when nothing was missing: what ingest knew last of each of its sessions, and of what the broker drops.
create table transport_known (
    -- The client id of a session, or `dropped`.
    name        text primary key,
    known_at    timestamptz not null,
    -- Of `dropped`: how many the broker had thrown away since its start.
    dropped     bigint
);

alter table right_turn
    drop constraint right_turn_reason_check,
    add constraint right_turn_reason_check
        check (reason in ('coarse', 'gap', 'speed_disagrees', 'transport_gap'));
