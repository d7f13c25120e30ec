"""Named random streams: the same seed and the same names give the same numbers, whatever else was drawn.

Each purpose has a stream of its own, so that a change to one (say, more message loss) leaves all
others (say, the truth) exactly as they were.
"""

from __future__ import annotations

import zlib

import numpy as np


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """Return the generator of one purpose, for instance of truck 7: `stream(1, "driver", 7)`."""
    entropy = (seed, zlib.crc32(purpose.encode()), *keys)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
