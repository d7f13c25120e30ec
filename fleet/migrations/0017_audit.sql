-- Who did what to whom may do what, and what judges; and browsers in which somebody has logged in before.

-- Append-only for everybody, the owner too. What was done to alerts stands in alert_action.
create table audit (
    audit_id      bigint generated always as identity primary key,
    -- Wall time.
    at            timestamptz not null default now(),
    -- As fleet/audit.py names them.
    act           text not null check (act ~ '^[a-z][a-z_]{0,39}$'),
    -- person: logged in at the console; program: with a token; command: at a shell of the machine; system: a process
    -- of ours; nobody: whoever was refused.
    actor_kind    text not null check (actor_kind in ('person', 'program', 'command', 'system', 'nobody')),
    actor         text not null,
    -- Whom or what it was done to: a user, a token, a login, a version; "" where that is the actor.
    subject       text not null default '' check (length(subject) <= 200),
    detail        text not null default '' check (length(detail) <= 500),
    -- Where from: of a request only.
    address       inet,
    -- The role of the database that wrote it, which no process can make up.
    written_by    text not null default session_user
);
create index audit_act on audit (act, audit_id);
create trigger append_only before update or delete on audit for each row execute function append_only();
create trigger append_only_whole before truncate on audit for each statement execute function append_only();

-- A browser in which a user has logged in: guesses of others do not make it wait. The cookie holds the token; here is
-- only its SHA-256. It lets nobody in.
create table console_browser (
    token_hash    bytea primary key check (octet_length(token_hash) = 32),
    user_id       integer not null references console_user on delete cascade,
    seen_at       timestamptz not null
);
create index console_browser_user on console_browser (user_id, seen_at);
