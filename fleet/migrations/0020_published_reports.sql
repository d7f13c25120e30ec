-- What every verdict rests on, and the chain of what was published. Nothing in it is changed or deleted.

-- An approved baseline. `document` is every value in the one spelling that is hashed.
create table baseline (
    baseline_id   integer generated always as identity primary key,
    id            text not null,
    version       integer not null check (version > 0),
    hash          text not null check (hash = 'sha256:' || encode(sha256(convert_to(document, 'UTF8')), 'hex')),
    document      text not null,
    recorded_at   timestamptz not null,
    who           text not null check (who <> ''),
    unique (id, version)
);

-- An approved policy, likewise.
create table policy (
    policy_id     integer generated always as identity primary key,
    version       text not null unique,
    hash          text not null check (hash = 'sha256:' || encode(sha256(convert_to(document, 'UTF8')), 'hex')),
    document      text not null,
    recorded_at   timestamptz not null,
    who           text not null check (who <> '')
);

-- A link of the chain of publications: `document` is what was signed; it names the hash of the link before.
create table publication (
    number        integer primary key check (number > 0),
    hash          text not null unique
        check (hash = 'sha256:' || encode(sha256(convert_to(document, 'UTF8')), 'hex')),
    document      text not null,
    signature     bytea not null check (octet_length(signature) = 64)
);

-- Who was sent a publication, and who has confirmed it.
create table publication_delivery (
    delivery_id   integer generated always as identity primary key,
    number        integer not null references publication,
    recipient     text not null check (recipient <> ''),
    act           text not null check (act in ('sent', 'received')),
    at            timestamptz not null,
    recorded_at   timestamptz not null,
    who           text not null check (who <> ''),
    note          text not null,
    check (at <= recorded_at)
);
create index publication_delivery_number on publication_delivery (number);

create function check_publication() returns trigger language plpgsql set search_path = public, pg_temp as $$
-- Links are counted 1, 2, 3, and each names the one before it.
declare
    last publication := (select p from publication p order by number desc limit 1);
begin
    if new.number <> coalesce(last.number, 0) + 1
            or new.document::jsonb ->> 'previous' is distinct from last.hash
            or (new.document::jsonb ->> 'number')::integer <> new.number then
        raise exception 'publication % does not follow the one before it', new.number
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger check_publication before insert on publication
    for each row execute function check_publication();

do $$
declare
    kept text;
begin
    foreach kept in array array['baseline', 'policy', 'publication', 'publication_delivery'] loop
        execute format('create trigger append_only before update or delete on %I for each row '
                       'execute function append_only()', kept);
        execute format('create trigger keep_all before truncate on %I for each statement '
                       'execute function append_only()', kept);
    end loop;
end $$;
