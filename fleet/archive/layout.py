"""What the cold store looks like: a folder a UTC day, files in it that never change, and a manifest.

    date=2026-11-30/fixes-0f3a5c7e9b1d2468.parquet
    date=2026-11-30/manifest.json

A file is named by what is in it. What arrives after a day was archived is another file beside the first. The
manifest is the list of those that count: a file that it does not name was never finished.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import msgspec

from fleet.errors import KerbsafeError
from fleet.units import MICROSECONDS, to_us

FORMAT = 1
MANIFEST = "manifest.json"
DAY_US = 86_400 * MICROSECONDS
_FOLDER = re.compile(r"date=(\d{4}-\d{2}-\d{2})")
_EPOCH = date(1970, 1, 1)
#: Digits of the SHA-256 in a file's name.
_DIGITS = 16


class ArchiveError(KerbsafeError):
    """What the cold store holds is not what it should be, or cannot be kept there."""


class ColdStoreError(ArchiveError):
    """The cold store could not be read: nobody knows what is in it."""


class NotKeptError(ArchiveError):
    """The tracks of that day were deleted: they had been kept for as long as was asked."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

    name: str
    fixes: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in the cold store of a UTC day."""

    day: date
    parts: tuple[Part, ...] = ()
    #: Code of each vehicle by its id, which is the database's own.
    vehicles: dict[int, str] = {}
    format: int = FORMAT

    @property
    def fixes(self) -> int:
        """How many fixes."""
        return sum(part.fixes for part in self.parts)

    @property
    def bytes(self) -> int:
        """How many bytes of files."""
        return sum(part.bytes for part in self.parts)

    def with_part(self, part: Part) -> Manifest:
        """Return the manifest with one more file; the same file twice is there once."""
        others = [other for other in self.parts if other.name != part.name]
        return Manifest(self.day, (*others, part), self.vehicles)


class DayRange(NamedTuple):
    """Days from `first` to `last`, both included."""

    first: date
    last: date


def folder(day: date) -> str:
    """Return the folder of a day."""
    return f"date={day.isoformat()}"


def day_of_folder(name: str) -> date | None:
    """Return the day of a folder; None: it is no folder of a day."""
    match = _FOLDER.fullmatch(name)
    try:
        return None if match is None else date.fromisoformat(match[1])
    except ValueError:
        return None


def part_name(sha256: str) -> str:
    """Return what a file is called."""
    return f"fixes-{sha256[:_DIGITS]}.parquet"


def encode_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as JSON."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode_manifest(day: date, data: bytes) -> Manifest:
    """Return the manifest of a day.

    Raises
    ------
    ArchiveError
        If it is none, is of another day, or was written by a later version.
    """
    where = f"{folder(day)}/{MANIFEST}"
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArchiveError(
            f"{where} is not a manifest: {error}. Put back the file that was there; "
            "`kerbsafe archive verify` says what else was changed"
        ) from error
    if manifest.format != FORMAT or manifest.day != day:
        raise ArchiveError(
            f"{where} is of {manifest.day} and of format {manifest.format}, this Kerbsafe reads format "
            f"{FORMAT}: use the version that wrote it, or put back the file that was there"
        )
    return manifest


def begin_of(day: date) -> datetime:
    """Return when a UTC day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def begin_us(day: date) -> int:
    """Return when a UTC day begins, microseconds since 1970."""
    return to_us(begin_of(day))


def day_of_us(time_us: int) -> date:
    """Return the UTC day of a time, the first or the last day that there is where it lies outside of them."""
    days = time_us // DAY_US
    lowest, highest = (date.min - _EPOCH).days, (date.max - _EPOCH).days
    return _EPOCH + timedelta(days=min(max(days, lowest), highest))


def days_of_span(from_us: int, until_us: int) -> DayRange:
    """Return the UTC days that a half-open span of time touches."""
    return DayRange(day_of_us(from_us), day_of_us(max(until_us - 1, from_us)))
