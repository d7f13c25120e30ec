-- What was refused can be taken in again once its cause is mended (`kerbsafe rejects retry`).

alter table reject
    -- The payload is what came, to the last byte: it can be read again.
    add column retriable boolean not null default false,
    -- When all of it was taken in again; NULL: it was not.
    add column retried_at timestamptz;

-- Of what is kept so far, that which is shorter than what was kept at most.
update reject set retriable = true
where octet_length(payload) between 1 and 4095
  and reason not in ('unstorable', 'conflicting_duplicate', 'payload_too_large', 'too_much_waiting');
