"""The cold store in an S3-compatible store: keys and credentials as AWS_* variables, as everywhere."""

from __future__ import annotations

import io
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from fleet.archive.layout import ArchiveError, day_of_folder, folder
from fleet.archive.stores import UNFINISHED, unreadable, writing

try:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store
except ModuleNotFoundError as error:
    raise ArchiveError(
        "a cold store at s3:// needs the extra `s3`: install kerbsafe[s3], or use a folder"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from obstore.store import ObjectStore

#: Read at once of a file, at least.
_BUFFER = 2**20
_FAILURES = (BaseError, OSError)


class Objects:
    """A bucket, or what is below a prefix in it. An object is put there whole or not at all."""

    def __init__(self, store: ObjectStore, address: str) -> None:
        self._store, self._address = store, address

    @classmethod
    def at(cls, address: str) -> Objects:
        """Return the store at `s3://bucket/prefix`."""
        try:
            return cls(S3Store.from_url(address), address)
        except BaseError as error:
            raise unreadable(address, error) from error

    def __str__(self) -> str:
        return self._address

    def scratch(self, day: date) -> Path:
        """Return the path of a file of this machine."""
        opened, name = tempfile.mkstemp(UNFINISHED, f"kerbsafe-{folder(day)}-")
        os.close(opened)
        return Path(name)

    def keep(self, written: Path, key: str) -> None:
        """Put a written file in its place, for good."""
        with self._writing(key):
            obstore.put(self._store, key, written)
        written.unlink()

    def put(self, key: str, data: bytes) -> None:
        """Put a small file in its place, for good."""
        with self._writing(key):
            obstore.put(self._store, key, data)

    def get(self, key: str) -> bytes | None:
        """Return a small file; None if it is not there."""
        with self._reading(key):
            try:
                return obstore.get(self._store, key).bytes().to_bytes()
            except FileNotFoundError:
                return None

    def open(self, key: str) -> IO[bytes]:
        """Open a file at any place of it."""
        with self._reading(key):
            return io.BufferedReader(_Raw(obstore.open_reader(self._store, key), f"{self}/{key}"), _BUFFER)

    def days(self) -> Sequence[date]:
        """Return the days that have a folder, in order."""
        with self._reading(""):
            found = obstore.list_with_delimiter(self._store)["common_prefixes"]
        return sorted(day for name in found if (day := day_of_folder(Path(name).name)) is not None)

    def names(self, day: date) -> Sequence[str]:
        """Return the names of the files of a day."""
        with self._reading(folder(day)):
            found = obstore.list_with_delimiter(self._store, folder(day))["objects"]
        return sorted(Path(one["path"]).name for one in found)

    def remove(self, key: str) -> None:
        """Remove a file; one that is not there is no matter."""
        with self._writing(key):
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                return

    @contextmanager
    def _reading(self, key: str) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            raise unreadable(f"{self}/{key}", error) from error

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        with writing(f"{self}/{key}"):
            try:
                yield
            except BaseError as error:
                raise OSError(" ".join(str(error).split())) from error


class _Raw(io.RawIOBase):
    """An object as a file of Python's."""

    def __init__(self, reader: Any, address: str) -> None:
        self._reader, self._address = reader, address

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._reader.seek(offset, whence))

    def tell(self) -> int:
        return int(self._reader.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._reader.read(len(buffer)).to_bytes()
        except _FAILURES as error:  # no error of files: whoever reads would take the file for damaged
            raise unreadable(self._address, error) from error
        buffer[: len(data)] = data
        return len(data)
