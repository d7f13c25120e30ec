-- Whom to call about a vehicle beside its driver.

alter table company add column phone text not null default '';
