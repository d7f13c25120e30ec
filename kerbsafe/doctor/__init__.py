"""Look at an installation and say what is wrong with it and how to mend it.

A check is a coroutine or function that returns findings and never raises for what it looks at: `database` and
`broker` each hold those of one thing, `rounds` makes them all and adds versions and settings.
"""

from kerbsafe.doctor.finding import Finding, Level
from kerbsafe.doctor.rounds import Diagnosis, diagnose

__all__ = ["Diagnosis", "Finding", "Level", "diagnose"]
