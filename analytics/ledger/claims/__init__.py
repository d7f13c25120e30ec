"""Claims of insurers: a second list of the same accidents, kept apart, and what the two say of each other.

`claim` is one claim, `columns` and `reading` turn a file into claims, `planning` gives each row its fate,
`matching` says which claim is of which accident, and by which rule, `capture` estimates how many accidents
neither list has. All but `store` are pure.
"""
