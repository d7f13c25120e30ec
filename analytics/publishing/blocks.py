"""Which byte of a file was changed: short hashes of its blocks, kept beside the hash of the whole. Pure.

The hash of a file says that it is not what was signed, not where. With a hash for each block of 1,024 bytes
the block is known, and where one byte in it was changed, trying every other value of every byte finds it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK_BYTES = 1024
#: It locates; what proves is the SHA-256 of the whole.
_HASH_BYTES = 8
_VALUES = range(256)


class Signed(NamedTuple):
    """What is known of a file as it was signed."""

    length: int
    #: One hash for each block, in hexadecimal.
    hashes: tuple[str, ...]


class Difference(NamedTuple):
    """Bytes that are not what was signed, counted from 0; `last` is included."""

    first: int
    last: int
    #: What the byte was, where it alone was changed.
    was: int | None = None


def block_table(files: Mapping[str, bytes]) -> bytes:
    """Return the table of some files, as `blocks.json` holds it."""
    document = {
        "block_bytes": BLOCK_BYTES,
        "files": {
            name: {"bytes": len(data), "blocks": "".join(_hashes(data))} for name, data in files.items()
        },
    }
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_table(data: bytes) -> dict[str, Signed]:
    """Return what a table says; it is one that was signed."""
    return {
        name: Signed(
            each["bytes"],
            tuple(
                each["blocks"][at : at + 2 * _HASH_BYTES]
                for at in range(0, len(each["blocks"]), 2 * _HASH_BYTES)
            ),
        )
        for name, each in json.loads(data)["files"].items()
    }


def differences(data: bytes, signed: Signed) -> list[Difference]:
    """Return where a file is not what was signed, in ascending order.

    What was inserted or taken out shifts all that follows: then the first block is the one to look at.
    """
    found = _hashes(data)
    changed = [at for at, (one, other) in enumerate(zip(found, signed.hashes, strict=False)) if one != other]
    if len(data) == signed.length and len(changed) == 1:
        return [_one_byte(data, changed[0], signed.hashes[changed[0]])]
    ranges: list[Difference] = []
    for at in changed:
        first, last = at * BLOCK_BYTES, min((at + 1) * BLOCK_BYTES, len(data)) - 1
        if ranges and ranges[-1].last == first - 1:
            ranges[-1] = Difference(ranges[-1].first, last)
        else:
            ranges.append(Difference(first, last))
    return ranges


def first_difference(one: bytes, other: bytes) -> int | None:
    """Return the first byte at which two files differ; None: they are the same."""
    if one == other:
        return None
    both = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(both) if a != b), min(len(one), len(other)))


def _hashes(data: bytes) -> list[str]:
    return [_hash(data[at : at + BLOCK_BYTES]) for at in range(0, len(data), BLOCK_BYTES)]


def _hash(block: bytes | bytearray) -> str:
    return hashlib.sha256(block).hexdigest()[: 2 * _HASH_BYTES]


def _one_byte(data: bytes, block: int, wanted: str) -> Difference:
    """Look for the one byte of a block that was changed; where more were, name the block."""
    begin = block * BLOCK_BYTES
    bytes_of_block = bytearray(data[begin : begin + BLOCK_BYTES])
    for at, is_now in enumerate(bytes_of_block):
        for value in _VALUES:
            bytes_of_block[at] = value
            if value != is_now and _hash(bytes_of_block) == wanted:
                return Difference(begin + at, begin + at, value)
        bytes_of_block[at] = is_now
    return Difference(begin, begin + len(bytes_of_block) - 1)
