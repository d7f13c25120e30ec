-- describe_server --
-- What the server is, and whether what it commits survives a crash.
select current_setting('server_version') as version, current_database() as database,
       current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit;

-- list_processes --
-- Which of our processes are connected to this database, and since when.
select application_name as name, min(backend_start) as since from pg_stat_activity
where datname = current_database() and application_name = any ($1::text[]) group by application_name;

-- transport_gaps --
-- When data may have been lost on the way to us. $1 ended since.
select source, from_at, until_at, messages from transport_gap where until_at >= $1 order by until_at;
