-- What holds of a unit and is not an episode yet: a process that is started again goes on counting from the same moment.

-- At most a row a vehicle and rule; gone when the condition ends or becomes an episode.
create table arrival_hold (
    vehicle_id    integer     not null references vehicle,
    rule          text        not null,
    since         timestamptz not null,
    -- The newest moment that it was seen to hold, a minute old at most.
    seen          timestamptz not null,
    -- How badly, in the rule's unit.
    peak          double precision not null,
    primary key (vehicle_id, rule)
);
