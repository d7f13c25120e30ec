"""The accident ledger: what the regulator's figures are made of, and what was known of it when.

`accident` is what happened, `codes` the words of police exports, `severity` and `scopes` what follows from
the numbers, `history` how knowledge of an accident changes: versions, never overwritten, and the state as of
any time. `columns` and `reading` turn a file into reports, `merging` puts a report over what is known,
`planning` gives each row its fate, `duplicates` offers accidents that may be one, `counting` counts for the
statistics. All but `store` are pure.
"""
