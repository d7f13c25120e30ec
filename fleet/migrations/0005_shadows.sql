-- Rules in shadow: their episodes are forgotten after 90 days, and nothing may read the whole table for it.

create index episode_shadow on episode (started_at) where mode <> 'live';
-- Deleting an episode asks whether another was merged into it.
create index episode_merged on episode (merged_into) where merged_into is not null;
