-- lock_alert --
-- An alert that somebody is about to act on, and who proposed to dismiss it. $1 alert. Not `for update`: the feed's
-- reference to an alert must not wait for a person's step.
select state, severity, disposition, proposed, actions, proposer.actor_kind as proposer_kind,
       proposer.actor as proposer_name
from alert join episode on episode_id = alert.alert_id
left join lateral (
    select actor_kind, actor from alert_action
    where alert_action.alert_id = alert.alert_id and action = 'proposed' and alert.proposed is not null
    order by version desc limit 1
) as proposer on true
where alert.alert_id = $1
for no key update of alert

-- steps_after --
-- What was done to an alert, earliest first. $1 alert, $2 after this version, $3 at most.
select version, at, actor_kind, actor, action, disposition, reason from alert_action
where alert_id = $1 and version > $2 order by version limit $3

-- take_step --
-- Change an alert and record the step. $1 alert, $2 state, $3 disposition, $4 proposed, $5 the evidence is judged
-- anew, $6 at, $7 actor_kind, $8 actor, $9 action, $10 disposition of the step, $11 reason. Returns the version.
with changed as (
    update alert set state = $2, disposition = $3, proposed = $4, evidence_changed = evidence_changed and not $5,
        actions = actions + 1
    where alert_id = $1 returning actions
)
insert into alert_action (alert_id, version, at, actor_kind, actor, action, disposition, reason)
select $1, actions, $6, $7, $8, $9, $10, $11 from changed
returning version
