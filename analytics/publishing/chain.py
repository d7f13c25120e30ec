"""The chain of publications: each link names the hash of the one before it, and is signed. Pure.

Whoever has one published directory has the chain up to it. To take a publication out, or to put another in
its place, every later link would have to be signed again, and every directory that anybody holds be changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from analytics.publishing.keys import is_signed
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.publishing.keys import SigningKey


@dataclass(frozen=True, slots=True)
class Link:
    """One publication, as it is signed.

    Attributes
    ----------
    number
        1, 2, 3.
    previous
        Hash of the link before; None for the first.
    what
        What was published, in words: `report 2020-08-flash`.
    manifest, blocks
        SHA-256 of the manifest, and of the table that finds changed bytes.
    manifest_signature
        The detached signature over the manifest, Base64.
    published_at, published_by
        When (UTC, to the second), and who did it.
    key
        The public key that signs.
    corrects, why
        The publication that this one corrects, and why; None and "".
    """

    number: int
    previous: str | None
    what: str
    manifest: str
    manifest_signature: str
    blocks: str
    published_at: str
    published_by: str
    key: str
    corrects: int | None
    why: str

    @property
    def text(self) -> str:
        """Every field, in one canonical spelling of JSON: what is hashed and signed."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.text.encode())


@dataclass(frozen=True, slots=True)
class SignedLink:
    """A link with its signature."""

    link: Link
    signature: bytes

    @property
    def line(self) -> bytes:
        """The line of `chain.jsonl`."""
        signature = base64.b64encode(self.signature).decode()
        return f'{{"link":{self.link.text},"signature":"{signature}"}}\n'.encode()


def sha256(data: bytes) -> str:
    """Return the SHA-256 of data as we write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def sign(link: Link, key: SigningKey) -> SignedLink:
    """Return a link, signed."""
    return SignedLink(link, key.sign(link.text.encode()))


def read_link(text: str) -> Link | None:
    """Read a link from its canonical text; None: it is none, or in another spelling."""
    try:
        value: Any = json.loads(text)
        link = Link(**value) if isinstance(value, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None
    return link if link is not None and _is_sound(link) and link.text == text else None


def read_line(line: bytes) -> SignedLink | None:
    """Read a line of `chain.jsonl`; None: it is not as it was written, to the byte."""
    try:
        value: Any = json.loads(line)
        link = Link(**value["link"])
        found = SignedLink(link, base64.b64decode(value["signature"], validate=True))
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error):
        return None
    return found if _is_sound(link) and found.line == line else None


def faults(chain: Sequence[SignedLink]) -> list[Words]:
    """Return what does not hold of a chain: a sentence each."""
    found: list[Words] = []
    before: SignedLink | None = None
    for each in chain:
        link = each.link
        if not is_signed(link.text.encode(), each.signature, link.key):
            found.append(_NOT_SIGNED.fill(number=link.number))
        expected = 1 if before is None else before.link.number + 1
        if link.number != expected:
            found.append(_MISSING.fill(number=link.number, missing=expected))
        elif link.previous != (None if before is None else before.link.hash):
            found.append(_ANOTHER_BEFORE.fill(number=link.number, before=expected - 1))
        before = each
    return found


def _is_sound(link: Link) -> bool:
    whole = {"number", "corrects"}
    optional = {"previous", "corrects"}
    for each in fields(link):
        value = getattr(link, each.name)
        if value is None and each.name in optional:
            continue
        if type(value) is not (int if each.name in whole else str):
            return False
    return True


_NOT_SIGNED = Words(
    "chain: link {number} was changed: its signature does not hold", "链：第 {number} 环被改动，签名不成立"
)
_MISSING = Words(
    "chain: link {missing} is missing before link {number}: it was removed",
    "链：第 {number} 环之前缺第 {missing} 环，已被删除",
)
_ANOTHER_BEFORE = Words(
    "chain: link {number} does not name link {before} as the one before it: one of them was replaced",
    "链：第 {number} 环所记的前一环不是第 {before} 环，其中一环被替换",
)
