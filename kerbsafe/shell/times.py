"""Times on the command line."""

from __future__ import annotations

import argparse
from datetime import date, datetime


def parse_time(text: str) -> datetime:
    """Return the aware time that an argument names; argparse shows what is wrong with it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not RFC 3339 with an offset, e.g. 2026-11-22T08:00:00+08:00"
        )
    return moment


def parse_day(text: str) -> date:
    """Return the civil day that an argument names."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day like 2026-03-31") from None
