-- What a report reads besides the ledger, baselines and policies.

-- facts --
-- Facts of months as they were known over time, those restated since among them; of the city, its counties and
-- companies. $1 known by, $2 first month, $3 last month.
select scope, month, measure, value, coverage, source, known_from, known_to
from month_fact
where month between $2 and $3 and known_from <= $1 and scope !~ '^(plant|vehicle):'
order by month, scope, measure, known_from;

-- companies --
-- What companies are called.
select code, name from company where name <> '' order by code;

-- counties --
-- What counties were called at a time: districts of the registry. $1 at.
select distinct on (code) code, name
from fence join fence_version using (fence_id)
where kind = 'district' and name <> '' and valid_from <= $1
order by code, valid_from desc;
