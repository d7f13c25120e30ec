-- What somebody is looking after is little of what is unfinished: found without reading the rest.

create index alert_acknowledged on alert (alert_id) where state = 'acknowledged';
