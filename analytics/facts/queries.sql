-- month_facts --
-- Facts of months as they were known at a time. $1 as of, $2 first day, $3 last day, $4 scopes (NULL: all),
-- $5 measures (NULL: all).
select * from month_fact
where month between $2 and $3 and known_from <= $1 and (known_to is null or known_to > $1)
  and ($4::text[] is null or scope = any($4::text[]))
  and ($5::text[] is null or measure = any($5::text[]))
order by month, scope, measure;

-- lock_facts --
-- One writer at a time: what is known is added one after the other. Until the end of the transaction.
select pg_advisory_xact_lock(hashtextextended('kerbsafe month_fact', 0));

-- standing --
-- What holds of figures. $1 months, $2 scopes, $3 measures.
select month_fact.*
from unnest($1::date[], $2::text[], $3::text[]) as given (month, scope, measure)
join month_fact using (month, scope, measure)
where known_to is null;

-- close_facts --
-- Say that facts hold no longer. $1 months, $2 scopes, $3 measures, $4 from when on.
update month_fact set known_to = $4
from unnest($1::date[], $2::text[], $3::text[]) as given (month, scope, measure)
where month_fact.month = given.month and month_fact.scope = given.scope and month_fact.measure = given.measure
  and known_to is null;

-- add_facts --
-- Add facts that hold from now on. $1 months, $2 scopes, $3 measures, $4 values, $5 coverages, $6 source, $7 known from,
-- $8 who, $9 origin.
insert into month_fact (month, scope, measure, value, coverage, source, known_from, who, origin)
select month, scope, measure, value, coverage, $6, $7, $8, $9
from unnest($1::date[], $2::text[], $3::text[], $4::float8[], $5::float8[])
     as given (month, scope, measure, value, coverage);

-- known_codes --
-- Codes of what a figure may be of: companies, counties, vehicles.
select 'company' as kind, code from company
union all
select 'vehicle', code from vehicle
union all
select distinct 'county', code from fence join fence_version using (fence_id) where fence_version.kind = 'district';
