"""Where the cold store is: a folder of this machine, or one that is mounted; or an S3-compatible store.

A file is written apart, compared, and put in its place whole: what is there is complete, whenever the power
goes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from fleet.archive.layout import (
    MANIFEST,
    ArchiveError,
    ColdStoreError,
    Manifest,
    day_of_folder,
    decode_manifest,
    encode_manifest,
    folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

#: Ends the name of a file that is being written. Nobody reads it.
UNFINISHED = ".unfinished"


class ColdStore(Protocol):
    """Files by key, such as `date=2026-11-30/manifest.json`. What fails is told as `ArchiveError`."""

    def __str__(self) -> str:
        """Where it is, for people."""

    def scratch(self, day: date) -> Path:
        """Return the path of a file of this machine to write a part of a day to."""

    def keep(self, written: Path, key: str) -> None:
        """Put a written file in its place, for good."""

    def put(self, key: str, data: bytes) -> None:
        """Put a small file in its place, for good."""

    def get(self, key: str) -> bytes | None:
        """Return a small file; None if it is not there."""

    def open(self, key: str) -> IO[bytes]:
        """Open a file at any place of it."""

    def days(self) -> Sequence[date]:
        """Return the days that have a folder, in order."""

    def names(self, day: date) -> Sequence[str]:
        """Return the names of the files of a day, those that were never finished too."""

    def remove(self, key: str) -> None:
        """Remove a file; one that is not there is no matter."""


class Folder:
    """A folder. It must exist: of a disk that is not mounted nothing is made in its place."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def scratch(self, day: date) -> Path:
        """Return a path beside where the part will be, so that putting it there is one step."""
        where = self._day(day)
        with writing(where):
            self._there()
            if not where.is_dir():
                where.mkdir()
                _sync_folder(self.path)
            return where / f"fixes{UNFINISHED}"

    def keep(self, written: Path, key: str) -> None:
        """Put a written file in its place, for good."""
        place = self.path / key
        with writing(place):
            with written.open("rb") as file:
                os.fsync(file.fileno())
            written.replace(place)
            _sync_folder(place.parent)

    def put(self, key: str, data: bytes) -> None:
        """Put a small file in its place, for good."""
        place = self.path / key
        unfinished = place.with_name(place.name + UNFINISHED)
        with writing(place):
            unfinished.write_bytes(data)
            self.keep(unfinished, key)

    def get(self, key: str) -> bytes | None:
        """Return a small file; None if it is not there, in a folder that is."""
        with self._reading(key):
            try:
                return (self.path / key).read_bytes()
            except FileNotFoundError:
                self._there()
                return None

    def open(self, key: str) -> IO[bytes]:
        """Open a file at any place of it."""
        with self._reading(key):
            return (self.path / key).open("rb")

    def days(self) -> Sequence[date]:
        """Return the days that have a folder, in order."""
        with self._reading(""):
            found = [day_of_folder(place.name) for place in self.path.iterdir()]
            return sorted(day for day in found if day is not None)

    def names(self, day: date) -> Sequence[str]:
        """Return the names of the files of a day."""
        with self._reading(folder(day)):
            self._there()
            where = self._day(day)
            return sorted(place.name for place in where.iterdir()) if where.is_dir() else []

    def remove(self, key: str) -> None:
        """Remove a file, and the folder of its day with the last one."""
        place = self.path / key
        with writing(place):
            self._there()
            place.unlink(missing_ok=True)
            if place.parent.is_dir() and not any(place.parent.iterdir()):
                place.parent.rmdir()

    def _day(self, day: date) -> Path:
        return self.path / folder(day)

    def _there(self) -> None:
        if not self.path.is_dir():
            raise ColdStoreError(
                f"the cold store {self} is not there: mount it, or make the folder (KERBSAFE_ARCHIVE)"
            )

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise unreadable(f"{self}/{key}".rstrip("/"), error) from error


@contextmanager
def writing(place: Path | str) -> Iterator[None]:
    """Tell what cannot be written, and what that means."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"{place} cannot be written: {error.strerror or error}. Nothing was dropped from the "
            "database; make room or rights there and run `kerbsafe archive run` again"
        ) from error


def _sync_folder(path: Path) -> None:
    """Have a folder's list of names kept for good, where the system can be told to."""
    if os.name == "nt":
        return
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def unreadable(what: str, error: Exception) -> ColdStoreError:
    """Say that something could not be read: it may be there, and hold anything."""
    why = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split())
    return ColdStoreError(
        f"the cold store could not be read: {what}: {why}. What it holds is not known until it can; "
        "see KERBSAFE_ARCHIVE"
    )


def manifest_of(store: ColdStore, day: date) -> Manifest | None:
    """Return the manifest of a day; None where the day has none."""
    data = store.get(f"{folder(day)}/{MANIFEST}")
    return None if data is None else decode_manifest(day, data)


def put_manifest(store: ColdStore, manifest: Manifest) -> None:
    """Put the manifest of a day in its place."""
    store.put(f"{folder(manifest.day)}/{MANIFEST}", encode_manifest(manifest))


def open_store(address: str) -> ColdStore:
    """Return the cold store at an address: the path of a folder, or `s3://bucket/prefix`."""
    if "://" in address:
        from fleet.archive.objects import Objects  # noqa: PLC0415 - an extra, and only for who has one

        return Objects.at(address)
    return Folder(Path(address))
