"""Values as a terminal packs them: decimal digits in half bytes, GBK text, times in China's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

#: All times of the standard, except the platform's answer to 0x0004.
CHINA = timezone(timedelta(hours=8))
_CENTURY = 2000


def text_of(raw: bytes) -> tuple[str, bool]:
    """Return GBK text without padding, and whether all of it could be read.

    Terminals pad with zero bytes or spaces, behind or before. GB 18030 holds all of GBK.
    """
    stripped = raw.strip(b"\x00 ")
    try:
        return stripped.decode("gb18030"), True
    except UnicodeDecodeError:
        return stripped.decode("gb18030", errors="replace"), False


def bytes_of(text: str) -> bytes:
    """Return GBK; what GBK lacks becomes a question mark, for a terminal shows nothing else."""
    return text.encode("gbk", errors="replace")


@lru_cache(maxsize=4096)
def moment_of(digits: str, zone: tzinfo = CHINA) -> datetime | None:
    """Return the UTC time of `YYMMDDhhmmss` in a zone; None if there is no such time.

    The year 00 is that of a terminal whose clock was never set.
    """
    if not digits.isdecimal() or digits.startswith("00"):
        return None
    parts = [int(digits[place : place + 2]) for place in range(0, 12, 2)]
    try:
        return datetime(_CENTURY + parts[0], *parts[1:], tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def digits_of(moment: datetime, zone: tzinfo = CHINA) -> str:
    """Return `YYMMDDhhmmss` in a zone."""
    return moment.astimezone(zone).strftime("%y%m%d%H%M%S")


def rfc3339(moment: datetime) -> str:
    """Return the time as JSON has it, e.g. `2026-03-15T02:15:30Z`."""
    return moment.isoformat().replace("+00:00", "Z")
