-- Where right turns are: the direction from which each was entered, and the places that they are counted by.

alter table right_turn
    -- Whole degrees clockwise from north. NULL: the turn was judged before this was kept.
    add column entry_course_deg smallint check (entry_course_deg between 0 and 359);

-- A place once founded stays, so that its figures can be followed over years: docs/places.md. Append-only.
create table turn_place (
    -- Cell and direction of its founder, as people read and link them.
    code             text primary key check (code ~ '^[NS][0-9]{1,7}[EW][0-9]{1,8}-[NESW]{1,3}$'),
    lat_udeg         integer not null,
    lon_udeg         integer not null,
    entry_course_deg smallint not null check (entry_course_deg between 0 and 359),
    founded_at       timestamptz not null
);
