-- rulebooks --
-- All versions of the rulebook, earliest first.
select version, valid_from, document from rulebook order by valid_from

-- add_rulebook --
-- Record a version of the rulebook, if it is not there. $1 version, $2 valid_from, $3 document.
insert into rulebook (version, valid_from, document) values ($1, $2, $3) on conflict do nothing

-- companies --
-- Every company, since a rulebook may say something else of some.
select company_id, code from company

-- lock_rulebooks --
-- Let one writer of rulebooks go at a time; held to the end of the transaction.
select pg_advisory_xact_lock(hashtext('kerbsafe rulebook'))
