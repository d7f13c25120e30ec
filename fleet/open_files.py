"""How many files and connections a process may have open."""

from __future__ import annotations

import resource


def raise_limit(wanted: int) -> int:
    """Let this process have so many open, as far as the system allows it; return how many it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if most <= soft:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
