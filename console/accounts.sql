-- count_users --
-- How many may log in.
select count(*) from console_user where disabled_at is null

-- put_user --
-- Create a user or give one a new password and role. $1 name, $2 role, $3 password hash, $4 one_time.
insert into console_user (name, role, password_hash, one_time) values ($1, $2, $3, $4)
on conflict (name) do update
set role = excluded.role, password_hash = excluded.password_hash, one_time = excluded.one_time, disabled_at = null
returning user_id

-- disable_user --
-- Let a user in no more. $1 name, $2 now. No row: there is none of this name.
update console_user set disabled_at = coalesce(disabled_at, $2) where name = $1 returning user_id

-- list_users --
-- All users, by name.
select name, role, one_time, created_at, disabled_at from console_user order by name

-- find_user --
-- Who logs in by a name.
select user_id, name, role, password_hash, one_time from console_user where name = $1 and disabled_at is null

-- set_password --
-- Keep the password that a user has chosen. $1 user, $2 hash.
update console_user set password_hash = $2, one_time = false where user_id = $1

-- open_session --
-- Remember a browser that logged in. $1 hash of its token, $2 user, $3 now, $4 end.
insert into console_session (token_hash, user_id, created_at, seen_at, expires_at) values ($1, $2, $3, $3, $4)

-- find_session --
-- Whose session it is, unless it has ended. $1 hash, $2 now, $3 idle since earlier than this.
select user_id, name, role, one_time, seen_at
from console_session join console_user using (user_id)
where token_hash = $1 and expires_at > $2 and seen_at > $3 and disabled_at is null

-- touch_session --
-- Note that a session is in use. $1 hash, $2 now.
update console_session set seen_at = $2 where token_hash = $1

-- close_session --
-- Forget one session. $1 hash.
delete from console_session where token_hash = $1

-- close_sessions --
-- Forget the sessions of a user but one. $1 user, $2 hash to keep (NULL none).
delete from console_session where user_id = $1 and token_hash is distinct from $2

-- purge_sessions --
-- Forget what has ended. $1 now, $2 idle since earlier than this.
delete from console_session where expires_at <= $1 or seen_at <= $2

-- knows_browser --
-- Whether a user has logged in in a browser before. $1 hash of its token, $2 name, $3 not longer ago than this.
select exists (
    select from console_browser join console_user using (user_id)
    where token_hash = $1 and name = $2 and seen_at > $3 and disabled_at is null)

-- know_browser --
-- Remember a browser. $1 hash of its token, $2 user, $3 now.
insert into console_browser (token_hash, user_id, seen_at) values ($1, $2, $3)

-- touch_browser --
-- Note that somebody has logged in in a browser again. $1 hash of its token, $2 now.
update console_browser set seen_at = $2 where token_hash = $1

-- purge_browsers --
-- Forget browsers of a user that were not used for long, or that are too many. $1 user, $2 used before this, $3 most.
delete from console_browser where user_id = $1 and (seen_at <= $2 or token_hash not in (
    select token_hash from console_browser where user_id = $1 order by seen_at desc limit $3))

-- forget_browsers --
-- Forget all browsers of a user. $1 user.
delete from console_browser where user_id = $1

-- add_token --
-- Keep a token for programs. $1 name, $2 hash, $3 now, $4 end (NULL none), $5 scope. No row: the name is taken.
insert into api_token (name, token_hash, created_at, expires_at, scope) values ($1, $2, $3, $4, $5)
on conflict (name) do nothing returning token_id

-- find_token --
-- Whose token it is, unless it has ended. $1 hash, $2 now.
select name, scope from api_token
where token_hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)

-- revoke_token --
-- End a token. $1 name, $2 now. No row: there is none of this name.
update api_token set revoked_at = coalesce(revoked_at, $2) where name = $1 returning name

-- list_tokens --
-- All tokens, by name.
select name, scope, created_at, expires_at, revoked_at from api_token order by name
