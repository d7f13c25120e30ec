-- Who drives: from this version of the vehicle's facts on. NULL: nobody has said.

alter table vehicle_version add column driver_id integer references driver;
