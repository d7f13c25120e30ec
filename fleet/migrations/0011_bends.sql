-- Bends of the street beside turns at junctions, and turns whose reported speed contradicts the positions.

alter table right_turn
    -- A bend is wider, and was driven faster, than any truck turns at a junction: it counts in no rate of turns.
    -- Rows that were judged before are what they were taken for.
    add column kind text not null default 'turn' check (kind in ('turn', 'bend')),
    drop constraint right_turn_reason_check,
    add constraint right_turn_reason_check check (reason in ('coarse', 'gap', 'speed_disagrees'));
