-- What the broker dropped before it was started anew, unheard, nobody can know: a gap of its own.

alter table transport_gap
    drop constraint transport_gap_source_check,
    add constraint transport_gap_source_check
        check (source in ('queue_full', 'session_forgotten', 'broker_restarted'));
