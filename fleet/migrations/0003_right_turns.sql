-- Right turns: every one outside sites is a row, whether or not it was dangerous. Rates of conflicts and of
-- fast turns are shares of these rows; dangerous ones are episodes besides. Written by alerts/turn_store.py.

create table right_turn (
    -- UUIDv5 of (vehicle, mode, provisional entry): the same judgement has the same id.
    turn_id       uuid primary key,
    vehicle_id    integer not null references vehicle,
    company_id    integer references company,
    rulebook      text not null,
    entered_at    timestamptz not null,
    exited_at     timestamptz not null,
    -- The middle of the turn.
    lat_udeg      integer not null,
    lon_udeg      integer not null,
    course_change_deg real not null,
    entry_kmh     real not null,
    min_kmh       real not null,
    max_kmh       real not null,
    -- Way from entry to exit; radius of the arc, and lateral acceleration on it in units of g.
    path_m        real not null,
    radius_m      real not null,
    lateral_g     real not null,
    -- On the way before the entry: slowest speed, and time spent standing.
    approach_kmh  real not null,
    approach_stood_s real not null,
    -- Median and longest interval between fixes.
    interval_s    real not null,
    longest_s     real not null,
    -- NULL: the unit does not say.
    indicator     boolean,
    loaded        boolean,
    -- The must-stop junction that it lies in, and how that was approached. NULL: one need not stop here.
    junction_id   integer references fence,
    stop          text check (stop in ('stopped', 'slow', 'not_stopped', 'not_evaluable')),
    -- Why the turn was not seen well enough to be judged; NULL: it was.
    reason        text check (reason in ('coarse', 'gap')),
    confidence    real not null,
    status        text not null check (status in ('provisional', 'settled', 'withdrawn')),
    -- How settling saw it; NULL while provisional.
    settled_as    text check (settled_as in ('confirmed', 'amended', 'added', 'withdrawn')),
    revision      integer not null default 1,
    decided_at    timestamptz not null,
    settled_at    timestamptz,
    check (exited_at >= entered_at)
);
create index right_turn_vehicle on right_turn (vehicle_id, entered_at);
create index right_turn_entered on right_turn (entered_at);
