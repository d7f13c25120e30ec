-- describe_server --
-- What the server is, and whether what it commits survives a crash.
select current_setting('server_version') as version, current_database() as database,
       current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit;

-- list_processes --
-- Which of the processes that every installation needs are connected to this database, and since when.
select substr(application_name, 10) as name, min(backend_start) as since from pg_stat_activity
where datname = current_database()
  and application_name in ('kerbsafe ingest', 'kerbsafe worker', 'kerbsafe console')
group by 1;

-- blocked --
-- Who has waited for a lock for longer than $1 seconds, and who holds it. Waits are seen by every role.
select waiting.application_name as waiting, blocking.application_name as blocking, by.pid,
       extract(epoch from clock_timestamp() - min(lock.waitstart))::float as waited_s
from pg_locks as lock
join pg_stat_activity as waiting using (pid)
cross join unnest(pg_blocking_pids(lock.pid)) as by (pid)
left join pg_stat_activity as blocking on blocking.pid = by.pid
where not lock.granted and waiting.datname = current_database()
  and lock.waitstart < clock_timestamp() - make_interval(secs => $1)
group by 1, 2, 3 order by waited_s desc;

-- paused --
-- Who has a transaction open and has asked nothing for longer than $1 seconds; whether it holds what others need.
select application_name, pid, extract(epoch from clock_timestamp() - state_change)::float as paused_s,
       exists (
           select from pg_locks as lock where lock.pid = activity.pid and lock.granted
             and (lock.locktype = 'advisory' or (lock.locktype = 'relation' and lock.mode <> 'AccessShareLock'))
       ) as holds
from pg_stat_activity as activity
where datname = current_database() and state like 'idle in transaction%'
  and state_change < clock_timestamp() - make_interval(secs => $1)
order by paused_s desc;

-- hidden_sessions --
-- Whether there are sessions on this database of which the server does not tell us more than a name.
select exists (
    select from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and state is null
) or exists (
    select from pg_stat_activity where datname = current_database() and backend_type is null
);

-- write_row --
-- A row such as every batch writes.
insert into batch (received_at, source) values (now(), 'tick');

-- fill_blocks --
-- A mebibyte on the disk that did not have it before.
create temporary table doctor_trial on commit drop as select n as filled from generate_series(1, 30000) as n;

-- newest_batch --
-- When ingest committed its newest batch or tick.
select received_at from batch order by received_at desc limit 1;

-- transport_gaps --
-- When data may have been lost on the way to us. $1 ended since.
select source, from_at, until_at, messages from transport_gap where until_at >= $1 order by until_at;
