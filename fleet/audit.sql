-- record --
-- Keep an entry for good. $1 act, $2 actor_kind, $3 actor, $4 subject, $5 detail, $6 address (NULL none).
insert into audit (act, actor_kind, actor, subject, detail, address) values ($1, $2, $3, $4, $5, $6)

-- purge --
-- Forget what was done longer ago than $1 days; how many entries that were.
select purge_audit($1)

-- newest --
-- Entries, newest first. $1 before this id (NULL from the newest on), $2 act (NULL any), $3 at most.
select audit_id as id, at, act, actor_kind, actor, subject, detail, host(address) as address, written_by from audit
where ($1::bigint is null or audit_id < $1) and ($2::text is null or act = $2)
order by audit_id desc limit $3
