"""The broker's password and ACL files on disk: replaced whole, readable by the broker alone."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.credentials import HEADER
from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OWN_AND_GROUP_READ = 0o640
_OWN = 0o600
_RELOAD_TIMEOUT_S = 30


class BrokerFileError(KerbsafeError):
    """A file of the broker cannot be written, or the broker not reloaded."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """New contents, written beside the files that they replace."""

    temporary: Mapping[Path, Path]

    def replace(self) -> None:
        """Put the new files in place of the old."""
        for path, temporary in self.temporary.items():
            temporary.replace(path)
        for folder in {path.parent for path in self.temporary}:
            _flush(folder)


@contextlib.contextmanager
def prepared(contents: Mapping[Path, str]) -> Iterator[Prepared]:
    """Write files beside those that they are to replace; what was not put in place is removed again.

    A new file belongs to the owner of its folder and nobody else may read it; one that is there keeps owner,
    group and their rights.

    Raises
    ------
    BrokerFileError
        If a file is not ours to replace, or cannot be written.
    """
    temporary: dict[Path, Path] = {}
    try:
        for path, text in contents.items():
            try:
                _require_ours(path)
                temporary[path] = _write_beside(path, text)
            except OSError as error:
                raise BrokerFileError(f"cannot write {path}: {error.strerror or error}") from error
        yield Prepared(temporary)
    finally:
        for left in temporary.values():
            left.unlink(missing_ok=True)


def _require_ours(path: Path) -> None:
    """Refuse to overwrite a file that somebody wrote by hand."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as found:
        start = found.read(len(HEADER.encode()))
        if start and start != HEADER.encode():
            raise BrokerFileError(
                f"{path} was not written by Kerbsafe and would be lost: move it away, or name another file"
            )


def _write_beside(path: Path, text: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            _give_rights(out.fileno(), path)
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


def _give_rights(descriptor: int, path: Path) -> None:
    replaced = path if path.exists() else path.parent
    like = replaced.stat()
    mode = like.st_mode & _OWN_AND_GROUP_READ if replaced == path else _OWN
    with contextlib.suppress(PermissionError):  # only root may give files away
        os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, mode | _OWN)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reload_broker(command: str) -> None:
    """Run the command that has the broker read its files again; no shell is involved.

    Raises
    ------
    BrokerFileError
        If it cannot be run, fails, or takes longer than 30 s.
    """
    try:
        words = shlex.split(command)
        done = subprocess.run(words, timeout=_RELOAD_TIMEOUT_S, check=False, capture_output=True, text=True)
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise BrokerFileError(f"the files are written, but `{command}` did not run: {error}") from error
    if done.returncode != 0:
        said = done.stderr.strip() or "without a word"
        raise BrokerFileError(
            f"the files are written, but `{command}` failed (exit code {done.returncode}): {said}. "
            "Have the broker read them: kill -HUP $(pidof mosquitto)"
        )
