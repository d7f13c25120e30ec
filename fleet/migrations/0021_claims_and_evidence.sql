-- What stands beside the accidents: claims of insurers, what vehicles recorded around an accident, and what people make of
-- what telematics suggests. Nothing in it is changed or deleted.

-- Where it happened, micro-degrees, WGS 84. NULL: nobody has said.
alter table accident_version
    add column lat_udeg integer check (lat_udeg between -90000000 and 90000000),
    add column lon_udeg integer check (lon_udeg between -180000000 and 180000000),
    add check ((lat_udeg is null) = (lon_udeg is null));
create index accident_version_police_no on accident_version (police_no) where police_no <> '';

-- ---------------------------------------------------------------- claims

-- Kept apart from accidents: a claim is what somebody wants to be paid for, and counts in no figure.
create table claim (
    claim_id      integer generated always as identity primary key,
    -- The insurer's number of the report (报案号).
    code          text not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$')
);

-- A version is a whole account of a claim, as an insurer's list has it.
create table claim_version (
    claim_id      integer not null references claim,
    version       integer not null check (version > 0),
    recorded_at   timestamptz not null,
    who           text not null check (who <> ''),
    why           text not null,
    insurer       text not null,
    -- Number of the police, where the insurer has it.
    police_no     text not null,
    occurred_at   timestamptz not null,
    -- False: only the civil day is known, and occurred_at is its midnight.
    occurred_exact boolean not null,
    county        text not null,
    place         text not null,
    vehicle_id    integer references vehicle,
    -- Of a vehicle of the fleet that was not registered.
    plate         text not null check (plate = '' or vehicle_id is null),
    company_id    integer references company,
    kind          text not null,
    -- People. NULL: nobody has said.
    dead          integer check (dead >= 0),
    hurt          integer check (hurt >= 0),
    paid_yuan     bigint check (paid_yuan >= 0),
    primary key (claim_id, version)
);

-- ---------------------------------------------------------------- evidence

-- What a vehicle recorded around an accident, as it was stored when this was made.
create table accident_evidence (
    evidence_id   bigint generated always as identity primary key,
    accident_id   integer not null,
    version       integer not null,
    vehicle_id    integer not null references vehicle,
    made_at       timestamptz not null,
    who           text not null check (who <> ''),
    -- [from_at, until_at) is the track that was looked at; `sha256` is of its fixes in stored units.
    from_at       timestamptz not null,
    until_at      timestamptz not null check (until_at > from_at),
    sha256        bytea not null check (octet_length(sha256) = 32),
    -- Figures with their units in the names (analytics/ledger/evidence/summary.py).
    summary       jsonb not null,
    -- SVG; '' where there is nothing to draw.
    drawing       text not null,
    foreign key (accident_id, version) references accident_version
);
create index accident_evidence_accident on accident_evidence (accident_id, vehicle_id, evidence_id);

-- ---------------------------------------------------------------- what telematics suggests

-- What a person makes of an episode that may have been an accident; the newest row counts.
create table accident_candidate_verdict (
    verdict_id    bigint generated always as identity primary key,
    episode_id    uuid not null references episode,
    at            timestamptz not null,
    who           text not null check (who <> ''),
    why           text not null,
    -- The accident that it was; NULL: it was none.
    accident_id   integer references accident
);
create index accident_candidate_verdict_episode on accident_candidate_verdict (episode_id, verdict_id);

-- ----------------------------------------------------------------

create function check_claim_version() returns trigger language plpgsql set search_path = public, pg_temp as $$
-- Versions are counted 1, 2, 3 and recorded one after the other: an old answer stays as it was given.
declare
    last claim_version := (select v from claim_version v where claim_id = new.claim_id order by version desc limit 1);
begin
    if new.version <> coalesce(last.version, 0) + 1 or new.recorded_at < last.recorded_at then
        raise exception 'version % of claim % does not follow the one before it', new.version, new.claim_id
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger check_claim_version before insert on claim_version
    for each row execute function check_claim_version();

do $$
declare
    kept text;
begin
    foreach kept in array array['claim', 'claim_version', 'accident_evidence', 'accident_candidate_verdict'] loop
        execute format('create trigger append_only before update or delete on %I for each row '
                       'execute function append_only()', kept);
        execute format('create trigger keep_all before truncate on %I for each statement '
                       'execute function append_only()', kept);
    end loop;
end $$;
