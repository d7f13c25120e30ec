-- take_role --
-- Take a role for as long as the session lives; false if another session has it. $1 role.
select pg_try_advisory_lock(hashtext('kerbsafe.role'), hashtext($1))

-- who_has_role --
-- The session that has a role. $1 role.
select application_name, pid, coalesce(host(client_addr), 'this machine') as host, backend_start
from pg_locks join pg_stat_activity using (pid)
where locktype = 'advisory' and granted
  and pg_locks.database = (select oid from pg_database where datname = current_database())
  and (classid::bigint, objid::bigint)
    = (hashtext('kerbsafe.role')::bigint & 4294967295, hashtext($1)::bigint & 4294967295)
