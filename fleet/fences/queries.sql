-- fence_versions --
-- Every version of every fence.
select fence_id, code, valid_from, kind, name, geometry, limit_kmh, schedule, max_dwell_s, retired
from fence join fence_version using (fence_id)
order by fence_id, valid_from

-- pass_versions --
-- Every version of every pass, with the ids of its vehicle and fence.
select pass_id, pass.code, valid_from, vehicle_id, fence_id, vehicle.code as vehicle, fence.code as fence,
       starts_at, ends_at, schedule
from pass join pass_version using (pass_id) join vehicle using (vehicle_id) join fence using (fence_id)
order by pass_id, valid_from
