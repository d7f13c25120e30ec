-- open_channel --
-- Have what a channel may have to tell queued from now on. $1 channel, $2 least severity.
insert into notice_channel (channel, min_severity) values ($1, $2)
on conflict (channel) do update set min_severity = excluded.min_severity
where notice_channel.min_severity <> excluded.min_severity

-- close_channel --
-- Queue nothing more for a channel, and give up what waits. $1 channel, $2 now, $3 what is said of it.
with closed as (delete from notice_channel where channel = $1),
unread as (delete from outbox where channel = $1 and reason is null)
update outbox set ended_at = $2::timestamptz, ended_as = 'dead', answer = $3
where channel = $1 and reason is not null and ended_at is null

-- take_back --
-- Let what was under way when the process before us ended be sent again. $1 channel, $2 now.
update outbox set claimed_at = null, next_try_at = $2
where channel = $1 and claimed_at is not null and ended_at is null

-- unread --
-- What nobody has looked at yet, in the order of the feed. $1 channel, $2 at most.
select outbox_id, alert_id, change, at, severity, group_key, body ->> 'state' as state,
       (body ->> 'late')::boolean as late
from outbox where channel = $1 and reason is null and ended_at is null order by outbox_id limit $2

-- told --
-- What was decided last of an alert, told last of its group, and how many others were grouped since.
-- $1 channel, $2 alert, $3 group key.
select mine.reason as mine, mine.severity as my_severity, mine.at as my_at,
       others.reason as others, others.severity as their_severity, others.at as their_at,
       (select count(distinct alert_id) from outbox
        where channel = $1 and group_key = $3 and reason = 'grouped' and alert_id <> $2
          and outbox_id > coalesce(others.outbox_id, 0)) as grouped
from (select) as one
left join lateral (
    select reason, severity, at from outbox
    where channel = $1 and alert_id = $2 and reason is not null order by outbox_id desc limit 1
) as mine on true
left join lateral (
    select outbox_id, reason, severity, at from outbox
    where channel = $1 and group_key = $3 and alert_id <> $2 and reason in ('raised', 'worsened')
    order by outbox_id desc limit 1
) as others on true

-- decide --
-- Keep why a notice is due, or that it repeats another. $1 row, $2 reason, $3 repeats, $4 now.
update outbox set reason = $2::text, repeats = $3, next_try_at = $4::timestamptz,
    ended_at = case when $2::text = 'grouped' then $4::timestamptz end,
    ended_as = case when $2::text = 'grouped' then 'grouped' end
where outbox_id = $1

-- drop --
-- Forget what is no news to anybody. $1 row.
delete from outbox where outbox_id = $1

-- claim --
-- Take notices that are due, of each alert the earliest that has not ended: later ones wait for it.
-- $1 channel, $2 now, $3 at most.
update outbox set claimed_at = $2::timestamptz, tries = tries + 1
where outbox_id in (
    select outbox_id from outbox
    where channel = $1 and ended_at is null and next_try_at <= $2 and claimed_at is null
      and not exists (
          select from outbox as earlier
          where earlier.alert_id = outbox.alert_id and earlier.channel = outbox.channel
            and earlier.outbox_id < outbox.outbox_id and earlier.ended_at is null)
    order by outbox_id limit $3 for update skip locked
)
returning outbox_id, message_id, reason, at, body, repeats, tries

-- settle_attempt --
-- Keep what became of an attempt. $1 row, $2 ended_as (NULL: it is tried again), $3 now, $4 next try, $5 answer.
update outbox set claimed_at = null, ended_as = $2::text,
    ended_at = case when $2::text is not null then $3::timestamptz end,
    next_try_at = coalesce($4::timestamptz, next_try_at), answer = $5
where outbox_id = $1

-- waiting --
-- How many notices wait, and since when the oldest. $1 channel, $2 now.
select count(*) as pending, coalesce(extract(epoch from $2::timestamptz - min(queued_at)), 0)::float8 as oldest_s
from outbox where channel = $1 and ended_at is null

-- purge_outbox --
-- Forget what was sent, or given up, more than 90 days ago. $1 now.
delete from outbox where ended_at < $1::timestamptz - interval '90 days'
