-- What the blind-spot camera says of each right turn. NULL where it was judged before cameras were looked at.

alter table right_turn
    -- The right-hand camera was known to work.
    add column armed boolean,
    -- How many it saw during the turn.
    add column conflicts integer check (conflicts >= 0),
    add column outcome text check (outcome in ('conflict', 'clear', 'not_armed'));
