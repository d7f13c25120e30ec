-- Queries of approved baselines and policies.

-- lock_policies --
-- Writers wait for one another, so that what follows what is judged on what is there.
select pg_advisory_xact_lock(hashtextextended('kerbsafe policies', 0));

-- baselines --
-- Every version of every baseline, as they were recorded.
select document, hash, recorded_at, who from baseline order by baseline_id;

-- policies --
-- Every policy, as they were recorded.
select document, hash, recorded_at, who from policy order by policy_id;

-- freeze_baseline --
-- Record an approved baseline.
insert into baseline (id, version, hash, document, recorded_at, who) values ($1, $2, $3, $4, $5, $6);

-- approve_policy --
-- Record an approved policy.
insert into policy (version, hash, document, recorded_at, who) values ($1, $2, $3, $4, $5);
