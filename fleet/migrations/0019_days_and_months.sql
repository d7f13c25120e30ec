-- What a month amounts to. A figure that changes is restated: the old row says until when it was known, and stays.

create table month_fact (
    -- `city`, or what it is part of, with its code.
    scope         text not null check (scope ~ '^(city|(county|company|plant|vehicle):[A-Za-z0-9_-]{1,64})$'),
    month         date not null check (extract(day from month) = 1),
    -- As analytics/facts/measures.py lists them.
    measure       text not null check (measure ~ '^[a-z][a-z0-9_]{0,39}$'),
    value         double precision not null check (value >= 0 and value < 'infinity'),
    -- Share of what ought to have been seen that was; NULL: declared, nothing is to be seen.
    coverage      double precision check (coverage between 0 and 1),
    source        text not null check (source in ('measured', 'declared', 'simulated')),
    -- It was what we knew in [known_from, known_to); NULL: it still is.
    known_from    timestamptz not null,
    known_to      timestamptz check (known_to > known_from),
    -- Who said so, and in which file; "" of what is measured.
    who           text not null default '',
    origin        text not null default '',
    primary key (month, scope, measure, known_from),
    check (coverage is not null or source <> 'measured'),
    check ((who = '') = (source = 'measured'))
);
-- One figure holds at a time.
create unique index month_fact_standing on month_fact (month, scope, measure) where known_to is null;

create function only_closes() returns trigger language plpgsql as $$
-- Of a version only one thing is written later, and once: until when it held.
begin
    if tg_op = 'UPDATE' then
        if old.known_to is null and to_jsonb(new) - 'known_to' = to_jsonb(old) - 'known_to' then
            return new;
        end if;
    end if;
    raise exception '% is append-only: a version is followed by another, never changed', tg_table_name
        using errcode = 'insufficient_privilege';
end $$;
create trigger append_only before update or delete on month_fact for each row execute function only_closes();
create trigger keep_all before truncate on month_fact for each statement execute function append_only();
