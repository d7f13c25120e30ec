"""Published directories and keys on disk: read, written, checked. What is checked needs no database."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.publishing.chain import faults
from analytics.publishing.keys import PublishingError, SigningKey, public_of_pem, read_public
from analytics.publishing.publication import CHAIN, read_chain, verify
from analytics.publishing.store import read_chain as read_database_chain
from fleet.language import Words, language
from fleet.printable import printable, to_json
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from analytics.publishing.chain import SignedLink

#: A report has a dozen files of at most some megabytes.
_MAX_FILES, _MAX_BYTES = 1_000, 200_000_000
_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO


def run_key(args: argparse.Namespace) -> int:
    """Make a key; print its public half only."""
    key = SigningKey.new()
    public = args.file.with_name(args.file.name + ".pub")
    _write_new(args.file, key.pem, 0o600)
    _write_new(public, key.public_pem, 0o644)
    document = {"file": str(args.file), "public_file": str(public), "public": key.public}
    _show(args, document, [_KEY_MADE.fill(file=args.file), Words(key.public, key.public)])
    return 0


def run_verify(args: argparse.Namespace) -> int:
    """Check a directory; one line for each thing that does not hold."""
    trusted = [_public_key(text) for text in args.key]
    files = read_directory(args.directory)
    found = verify(files, trusted)
    chain, _ = read_chain(files.get(CHAIN, b""))
    if args.database and not found:
        found = _against_database(chain, asyncio.run(_database_chain()))
    last = chain[-1].link if chain else None
    document = {
        "holds": not found,
        "faults": [words.to(language(os.environ)) for words in found],
        "number": None if last is None else last.number,
        "what": None if last is None else last.what,
        "key": None if last is None else last.key,
        "published_at": None if last is None else last.published_at,
    }
    lines = found
    if last is not None and not found:
        lines = [_HOLDS.fill(number=last.number, what=last.what, at=last.published_at, by=last.published_by)]
        lines.append((_KEY_TRUSTED if trusted else _KEY_TO_COMPARE).fill(key=last.key))
    _show(args, document, lines)
    return 1 if found else 0


def read_directory(directory: Path) -> dict[str, bytes]:
    """Return the files of a directory by their names within it."""
    if not directory.is_dir():
        raise PublishingError(Words(f"{directory} is not a directory", f"{directory} 不是目录"))
    paths = sorted(path for path in directory.rglob("*") if not path.is_dir())
    if len(paths) > _MAX_FILES:
        raise PublishingError(f"{directory} has more than {_MAX_FILES} files, and no publication does")
    files: dict[str, bytes] = {}
    try:
        for path in paths:
            if not path.is_file() or path.is_symlink():
                raise PublishingError(f"{path} is no plain file: a publication has no others")
            if path.stat().st_size > _MAX_BYTES:
                raise PublishingError(f"{path} is larger than any file of a publication")
            files[path.relative_to(directory).as_posix()] = path.read_bytes()
    except OSError as error:
        raise PublishingError(f"{error.filename} cannot be read: {error.strerror}") from None
    return files


def write_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a directory, each whole or not at all."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            path = directory / name
            part = path.with_name(path.name + ".part")
            part.write_bytes(data)
            part.replace(path)
    except OSError as error:
        raise PublishingError(f"{error.filename} cannot be written: {error.strerror}") from None


def require_empty(directory: Path) -> None:
    """Raise `PublishingError` if a directory is there and holds something."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise PublishingError(
            Words(f"{directory} is not empty: name a new directory", f"{directory} 不为空：请指定新目录")
        )


def read_key(path: Path) -> SigningKey:
    """Read a key that nobody but its owner can."""
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS_MAY:
            raise PublishingError(_KEY_OPEN.fill(file=path, mode=f"{stat.S_IMODE(mode):04o}"))
        return SigningKey.read(path.read_bytes())
    except OSError as error:
        raise PublishingError(f"{path} cannot be read: {error.strerror}") from None


def _public_key(text: str) -> str:
    """Return a public key given as such, or as the file that `report key` wrote beside the private one."""
    if text.startswith("ed25519:"):
        return read_public(text)
    try:
        return public_of_pem(Path(text).read_bytes())
    except OSError as error:
        raise PublishingError(f"{text} is no public key, and cannot be read: {error.strerror}") from None


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except FileExistsError:
        raise PublishingError(_KEY_THERE.fill(file=path)) from None
    except OSError as error:
        raise PublishingError(f"{path} cannot be written: {error.strerror}") from None


async def _database_chain() -> list[SignedLink]:
    async with database("report") as connection:
        return await read_database_chain(connection)


def _against_database(chain: list[SignedLink], stored: list[SignedLink]) -> list[Words]:
    """Say where the chain of the directory and that of the database part."""
    found = faults(stored)
    if len(stored) < len(chain):
        found.append(_SHORTER.fill(stored=len(stored), number=len(chain)))
    for one, other in zip(chain, stored, strict=False):
        if one != other:
            found.append(_PARTS.fill(number=one.link.number))
            break
    return found


def _show(args: argparse.Namespace, document: Mapping[str, object], lines: list[Words]) -> None:
    if args.json:
        print(to_json(document))
        return
    for words in lines:
        print(printable(words.to(language(os.environ))))


_KEY_MADE = Words(
    "{file} is the key: keep it where only the signer can read it, and a copy under lock. Tell everybody the "
    "public key:",
    "私钥文件为 {file}：仅签发人可读，并另存一份妥善保管。请公布公钥：",
)
_KEY_THERE = Words("{file} is there already: a key is never overwritten", "{file} 已存在：密钥文件不会被覆盖")
_KEY_OPEN = Words(
    "{file} can be read by others (mode {mode}): `chmod 600` it, and think whether somebody has a copy",
    "{file} 可被他人读取（权限 {mode}）：请执行 `chmod 600`，并考虑是否已被复制",
)
_HOLDS = Words(
    "all holds: publication {number}, {what}, signed {at} by {by}",
    "核对无误：第 {number} 号发布，{what}，{by} 于 {at} 签名",
)
_KEY_TRUSTED = Words("signed with {key}, which you trust", "签名公钥 {key}，为您信任的公钥")
_KEY_TO_COMPARE = Words(
    "signed with {key}: compare it with the key that the authority tells, or give that one with --key",
    "签名公钥 {key}：请与发布机关公布的公钥核对，或用 --key 指定",
)
_SHORTER = Words(
    "database: its chain ends at {stored}, and this is publication {number}: links were removed there",
    "数据库：链止于第 {stored} 环，而本目录为第 {number} 号发布，数据库中的环被删除",
)
_PARTS = Words(
    "database: its link {number} is another than the one of this directory",
    "数据库：第 {number} 环与本目录所载不同",
)
