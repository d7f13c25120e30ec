-- The audit is kept for as long as the law wants it and the settings say, and no longer. Whatever is forgotten of it
-- leaves an entry that says how much.

-- Half a year, which the law asks for at least, nobody can shorten: neither the owner nor a setting.
create function audit_is_kept() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    if old.at > clock_timestamp() - interval '183 days' then
        raise exception 'audit is append-only: what was done in the last 183 days stays on record'
            using errcode = 'insufficient_privilege';
    end if;
    return old;
end $$;

create function audit_was_purged() returns trigger language plpgsql security definer
set search_path = public, pg_temp as $$
-- In the same transaction, whoever deletes and however.
begin
    insert into audit (act, actor_kind, actor, detail)
    select 'audit_purged', 'system', session_user,
           format('%s entries from %s to %s UTC', count(*), to_char(min(at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
                  to_char(max(at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
    from gone having count(*) > 0;
    return null;
end $$;

drop trigger append_only on audit;
create trigger append_only before update on audit for each row execute function append_only();
create trigger kept before delete on audit for each row execute function audit_is_kept();
create trigger purged after delete on audit referencing old table as gone
    for each statement execute function audit_was_purged();

create function purge_audit(keep_days integer) returns integer language plpgsql security definer
set search_path = public, pg_temp as $$
-- Forget what was done longer than so many days ago, in the owner's name; returns how many entries that were.
declare
    before timestamptz := clock_timestamp() - make_interval(days => keep_days);
    purged integer;
begin
    if keep_days < 183 then
        perform refuse('the audit is kept for 183 days at least');
    end if;
    if (select at from audit order by audit_id limit 1) >= before then
        return 0;
    end if;
    delete from audit where at < before;
    get diagnostics purged = row_count;
    return purged;
end $$;
