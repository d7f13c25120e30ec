-- A critical alert that a device's fault is said to have made takes two people as well, so it can be proposed.

alter table alert drop constraint alert_proposed_check,
    add constraint alert_proposed_check check (proposed in ('false_positive', 'not_actionable', 'device_fault'));
