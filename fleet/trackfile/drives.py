"""What a file of a recorded drive gives, and how its errors say where in it something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from fleet import textfile
from fleet.errors import KerbsafeError
from fleet.language import Words

if TYPE_CHECKING:
    from datetime import tzinfo

    from fleet.columns import Fixes
    from fleet.trackfile.account import Account

Clock = Literal["relative", "epoch"]
#: Characters of a file's content that a message shows.
_SHOWN = 40


class TrackError(KerbsafeError):
    """A file of a recorded drive cannot be read: which file, where in it, and what to do."""


class Options(NamedTuple):
    """What a person says of a file that does not say it itself."""

    #: One of `fleet.textfile.ENCODINGS`; None: found.
    encoding: str | None = None
    #: Of times without an offset.
    timezone: tzinfo | None = None
    #: Of positions that do not name theirs: `wgs84`, `gcj02`, `bd09`.
    datum: str | None = None
    #: Of a speed that does not name it: `kmh`, `mps`, `kn`, `mph`.
    speed_unit: str | None = None


NOTHING_SAID = Options()


@dataclass(frozen=True, slots=True)
class Track:
    """One vehicle's recorded fixes, in the order of the file. Their vehicle_id is 0."""

    #: The file's stem, which names the vehicle unless another is given.
    name: str
    fixes: Fixes
    #: Whether times count from some moment of the recording, or from 1970.
    clock: Clock
    account: Account


class Recorded(NamedTuple):
    """A message and when it was received; a `fleet.wire.batch.Message`."""

    at_us: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """Messages as they arrived, in the order of the file."""

    name: str
    messages: list[Recorded]
    account: Account


class Place(NamedTuple):
    """Where in which file something stands."""

    file: str
    line: int

    def error(self, what: Words, column: str = "") -> TrackError:
        """Return the error that something is wrong here."""
        where = _COLUMN.fill(column=shown(column)) if column else Words("", "")
        return TrackError(_AT.fill(file=self.file, line=self.line, where=where, what=what))


_AT = Words("{file}, line {line}{where}: {what}", "{file} 第 {line} 行{where}：{what}")
_COLUMN = Words(", column {column}", "“{column}”列")
_OF = Words("{file}: {what}", "{file}：{what}")


def error_of(file: str, what: Words) -> TrackError:
    """Return the error that something is wrong with a file as a whole."""
    return TrackError(_OF.fill(file=file, what=what))


def shown(text: str, longest: int = _SHOWN) -> str:
    """Return text of a file as a message may show it: in one line, cut, nothing that moves a terminal."""
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def name_of(file: str) -> str:
    """Return the name of a drive: its file's stem."""
    return shown(Path(file).stem, 200)


def decode_text(file: str, data: bytes, encoding: str | None) -> textfile.Text:
    """Return the text of a file; characters that are damaged become U+FFFD as long as they are few."""
    try:
        return textfile.decode(data, encoding, lenient=True)
    except textfile.TextError as error:
        raise Place(file, error.line).error(error.words) from error
