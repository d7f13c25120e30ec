-- take_role --
-- Take a role for as long as the session lives; false if another session has it. $1 role.
select pg_try_advisory_lock(hashtext('kerbsafe.role'), hashtext($1))

-- take_tended_role --
-- The same, with the promise to ask something every second: in one statement, for whoever vanishes right after it.
select case when pg_try_advisory_lock(hashtext('kerbsafe.role'), hashtext($1))
            then (select true from pg_advisory_lock_shared(hashtext('kerbsafe.tended'), pg_backend_pid()))
            else false end

-- who_has_role --
-- The session that has a role. $1 role.
select application_name, pid, coalesce(host(client_addr), 'this machine') as host, backend_start
from pg_locks join pg_stat_activity using (pid)
where locktype = 'advisory' and granted
  and pg_locks.database = (select oid from pg_database where datname = current_database())
  and (classid::bigint, objid::bigint)
    = (hashtext('kerbsafe.role')::bigint & 4294967295, hashtext($1)::bigint & 4294967295)

-- end_ghost --
-- End the session that has a role, promised to ask something every second, and has not for a while. Whether there was
-- one. $1 role, $2 seconds.
select coalesce(bool_or(pg_terminate_backend(pid, 2000)), false)
from pg_locks as role join pg_stat_activity using (pid)
where role.locktype = 'advisory' and role.granted
  and role.database = (select oid from pg_database where datname = current_database())
  and (role.classid::bigint, role.objid::bigint)
    = (hashtext('kerbsafe.role')::bigint & 4294967295, hashtext($1)::bigint & 4294967295)
  and state = 'idle' and state_change < clock_timestamp() - make_interval(secs => $2)
  and exists (
    select from pg_locks as tended
    where tended.locktype = 'advisory' and tended.pid = role.pid
      and (tended.classid::bigint, tended.objid::bigint)
        = (hashtext('kerbsafe.tended')::bigint & 4294967295, role.pid)
  )
