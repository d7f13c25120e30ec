-- whole_segments --
-- The time to judge so that every segment that meets a span is judged whole: from the beginning of the one that
-- holds $2 to that of the first after $3; where there is none, $2 and $4. $1 vehicles, $2 from, $3 until, $4 latest.
select vehicle,
       coalesce((select max(started_at) from segment where vehicle_id = vehicle and started_at <= $2), $2) as since,
       coalesce((select min(started_at) from segment where vehicle_id = vehicle and started_at >= $3), $4) as till
from unnest($1::int[]) as given (vehicle) order by vehicle
