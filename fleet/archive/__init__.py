"""Tracks that last: days of fixes as files of the cold store, and what is held for a court.

An old day becomes Parquet (`parquet`, `layout`) in a folder or bucket (`stores`, `objects`), compared row by
row with the database (`matching`) before it is dropped there (`days`, by `policy`). Who reads tracks asks
`fleet.tracks`, which looks in both places (`reading`). What is held is copied and sealed (`seal`, `holds`).
"""
