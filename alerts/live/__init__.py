"""Judged on arrival: the live memory, cameras and their turns, what came late, units that fall silent."""
