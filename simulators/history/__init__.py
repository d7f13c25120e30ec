"""Histories of a city with a known effect: what truly happened, and what an office was told of it, and when.

`setting` is what the world is like, `truth` what happens in it, `accounts` what is reported of accidents,
`figures` what months amount to. All of it is drawn from a seed, and none of it knows how it will be judged.
"""
