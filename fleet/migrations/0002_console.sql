-- The console: who may look, and the indexes that its lists read.
--
-- Times here are wall time, also in a sandbox: a session does not end because a recorded drive is played.

create table console_user (
    user_id       integer generated always as identity primary key,
    name          text not null unique check (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    role          text not null check (role in ('administrator', 'viewer')),
    -- As console/passwords.py writes it (scrypt with its parameters and salt), never the password.
    password_hash text not null,
    -- Printed once for its owner, who must choose another at the first login.
    one_time      boolean not null default false,
    created_at    timestamptz not null default now(),
    disabled_at   timestamptz
);

-- A browser that logged in. The cookie holds the token; here is only its SHA-256.
create table console_session (
    token_hash    bytea primary key check (octet_length(token_hash) = 32),
    user_id       integer not null references console_user on delete cascade,
    created_at    timestamptz not null,
    -- Moved on once a minute while in use.
    seen_at       timestamptz not null,
    expires_at    timestamptz not null
);
create index console_session_user on console_session (user_id);

-- Programs that read the API. A token is 32 random bytes, so its SHA-256 needs no salt.
create table api_token (
    token_id      integer generated always as identity primary key,
    name          text not null unique check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    token_hash    bytea not null unique check (octet_length(token_hash) = 32),
    created_at    timestamptz not null,
    -- NULL: until it is revoked.
    expires_at    timestamptz,
    revoked_at    timestamptz
);

-- Lists of alerts go by start, newest first, with any one of these held fast.
create index episode_severity_started on episode (severity, started_at);
create index episode_rule_started on episode (rule, started_at);
create index episode_company_started on episode (company_id, started_at);
create index episode_company_severity_started on episode (company_id, severity, started_at);
create index episode_ongoing on episode (started_at) where ended_at is null;
-- What nobody has dealt with yet, and what was judged too late, is little of all that is kept.
create index alert_unfinished on alert (alert_id) where state in ('open', 'acknowledged');
create index alert_late on alert (alert_id) where late;
