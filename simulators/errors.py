"""What the simulators tell people when they cannot do what was asked."""

from __future__ import annotations

from fleet.errors import KerbsafeError


class SimulatorError(KerbsafeError):
    """A scenario, a city or a file of truth that cannot be used; the message names it and the remedy."""
