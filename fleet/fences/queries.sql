-- fences_edition --
-- What changes whenever a fence or a pass does: how many versions there are, and when one was recorded last.
select concat_ws(' ', (select count(*) from fence_version), (select max(recorded_at) from fence_version),
                 (select count(*) from pass_version), (select max(recorded_at) from pass_version))

-- fence_versions --
-- Every version of every fence; the geometry as text, to be read outside the event loop.
select fence_id, code, valid_from, kind, name, geometry::text as geometry, limit_kmh, schedule, max_dwell_s, retired
from fence join fence_version using (fence_id)
order by fence_id, valid_from

-- pass_versions --
-- Every version of every pass, with the ids of its vehicle and fence.
select pass_id, pass.code, valid_from, vehicle_id, fence_id, vehicle.code as vehicle, fence.code as fence,
       starts_at, ends_at, schedule
from pass join pass_version using (pass_id) join vehicle using (vehicle_id) join fence using (fence_id)
order by pass_id, valid_from
