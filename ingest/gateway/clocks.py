"""Whether a terminal's clock shows Beijing time, as the standard wants it, or UTC. Pure.

A clock that shows UTC makes every report eight hours old. So does a report that was kept for eight hours; but
such ones come faster than they were measured, while those of a wrong clock come always equally late.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleet.units import MICROSECONDS

#: What a time in UTC lacks that was read as one of Beijing.
ZONE_US = 8 * 3600 * MICROSECONDS
#: A report that is no older was measured just now.
_FRESH_US = 600 * MICROSECONDS
#: How far from eight hours the age of a report may be for its clock to be suspected.
_NEAR_US = 180 * MICROSECONDS
#: Ages of reports of one clock differ by no more than what a network delays.
_SPREAD_US = 5 * MICROSECONDS
#: So many different times, over so long, are needed to say that a clock shows UTC.
_TIMES, _OVER_US = 3, 20 * MICROSECONDS
#: After so long nothing can be said, and reports are taken as they are told.
_PATIENCE_US = 120 * MICROSECONDS


@dataclass(slots=True)
class _Run:
    """Suspected reports, each newer than the one before, all equally late."""

    began_us: int
    newest_us: int
    youngest_us: int
    oldest_us: int
    times: int = 1


@dataclass(slots=True)
class ClockOfTerminal:
    """What is known of one terminal's clock."""

    #: When it was heard first, by our clock.
    began_us: int
    #: To be added to its times; None: not known yet.
    offset_us: int | None = None
    _suspected_us: int | None = None
    _run: _Run | None = None

    def judge(self, time_us: int, now_us: int) -> int | None:
        """Return what to add to the time of a report that has just come; None: it must not be taken yet.

        What is not taken must not be acknowledged either: the terminal sends it again.
        """
        age_us = now_us - time_us
        if abs(age_us) <= _FRESH_US:
            self.offset_us, self._suspected_us, self._run = 0, None, None
            return 0
        if self.offset_us == ZONE_US:
            return ZONE_US
        if abs(age_us - ZONE_US) > _NEAR_US:
            return 0  # kept, or a clock that is wrong otherwise, which ingest says of it
        run = self._follow(time_us, age_us, now_us)
        if run.times >= _TIMES and now_us - run.began_us >= _OVER_US:
            self.offset_us = ZONE_US
            return ZONE_US
        if self._suspected_us is None:
            self._suspected_us = now_us
        undecided = self.offset_us is None and now_us - self._suspected_us < _PATIENCE_US
        return None if undecided else 0

    def of_kept(self, now_us: int) -> int | None:
        """Return what to add to the time of a report that was kept; it says nothing of the clock."""
        undecided = self.offset_us is None and now_us - self.began_us < _PATIENCE_US
        return None if undecided else self.offset_us or 0

    def _follow(self, time_us: int, age_us: int, now_us: int) -> _Run:
        """Return the run that a suspected report belongs to; sent again, a report says nothing new."""
        run = self._run
        if run is None:
            run = self._run = _Run(now_us, time_us, age_us, age_us)
        elif time_us > run.newest_us:
            youngest_us, oldest_us = min(run.youngest_us, age_us), max(run.oldest_us, age_us)
            if oldest_us - youngest_us > _SPREAD_US:
                run = self._run = _Run(now_us, time_us, age_us, age_us)
            else:
                run.times, run.newest_us = run.times + 1, time_us
                run.youngest_us, run.oldest_us = youngest_us, oldest_us
        return run
