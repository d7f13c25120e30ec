-- Queries of the chain of publications, and of who has them.

-- lock_publications --
-- Publications wait for one another: each names the one before it.
select pg_advisory_xact_lock(hashtextextended('kerbsafe publications', 0));

-- publications --
-- The chain, oldest first.
select number, hash, document, signature from publication order by number;

-- add_publication --
-- A link at the end of the chain.
insert into publication (number, hash, document, signature) values ($1, $2, $3, $4);

-- deliveries --
-- What was sent to whom, and what they have confirmed, in the order of the record.
select number, recipient, act, at, recorded_at, who, note from publication_delivery order by delivery_id;

-- add_delivery --
-- One of these.
insert into publication_delivery (number, recipient, act, at, recorded_at, who, note)
values ($1, $2, $3, $4, $5, $6, $7);
