"""A published directory: put together, and checked byte for byte. Pure: files map names to bytes.

Beside the report's own files and their `manifest.json` stand `manifest.sig` (64 bytes, Ed25519 over the
manifest), `blocks.json` (which byte was changed) and `chain.jsonl` (every publication until this one, which
is its last line).
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from analytics.publishing import chain as links
from analytics.publishing.blocks import (
    Signed,
    block_table,
    differences,
    first_difference,
    read_table,
)
from analytics.publishing.chain import Link, SignedLink, sha256
from analytics.publishing.keys import PublishingError, is_signed
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from analytics.publishing.keys import SigningKey

MANIFEST, SIGNATURE, BLOCKS, CHAIN = "manifest.json", "manifest.sig", "blocks.json", "chain.jsonl"
ADDED = (SIGNATURE, BLOCKS, CHAIN)
_MAX_RANGES = 5


class Entry(NamedTuple):
    """What the manifest says of a file."""

    sha256: str
    length: int


@dataclass(frozen=True, slots=True)
class Act:
    """Who publishes what, and when.

    Attributes
    ----------
    what
        What is published, in words.
    at, by
        When, and who.
    corrects, why
        The number of the publication that it corrects, and why; None and "".
    """

    what: str
    at: datetime
    by: str
    corrects: int | None = None
    why: str = ""


def read_manifest(data: bytes) -> dict[str, Entry]:
    """Return what a manifest says of each file; `sha256` is in hexadecimal there."""
    try:
        said = json.loads(data)["files"]
        return {name: Entry(str(each["sha256"]), int(each["bytes"])) for name, each in said.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise PublishingError(_NO_MANIFEST) from None


def publish(
    files: Mapping[str, bytes], chain: Sequence[SignedLink], key: SigningKey, act: Act
) -> tuple[SignedLink, dict[str, bytes]]:
    """Return the new link, and the files that are to be written beside the others.

    Raises `PublishingError` where the files are not what their manifest says, or the chain does not hold.
    """
    require_whole(files)
    if wrong := links.faults(chain):
        raise PublishingError(_NOT_PUBLISHED.fill(fault=wrong[0]))
    own = {name: data for name, data in files.items() if name not in ADDED}
    _check_act(act, chain)
    table, signature = block_table(own), key.sign(files[MANIFEST])
    link = Link(
        number=len(chain) + 1,
        previous=chain[-1].link.hash if chain else None,
        what=act.what,
        manifest=sha256(files[MANIFEST]),
        manifest_signature=base64.b64encode(signature).decode(),
        blocks=sha256(table),
        published_at=f"{act.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        published_by=act.by,
        key=key.public,
        corrects=act.corrects,
        why=act.why,
    )
    signed = links.sign(link, key)
    return signed, added_files(own, [*chain, signed])


def require_whole(files: Mapping[str, bytes]) -> None:
    """Raise `PublishingError` if files are not what their manifest says: what is not whole is not signed."""
    if MANIFEST not in files:
        raise PublishingError(_NO_MANIFEST)
    own = {name: data for name, data in files.items() if name not in ADDED}
    for wrong in _against_manifest(own, {}):
        raise PublishingError(_NOT_PUBLISHED.fill(fault=wrong))


def added_files(files: Mapping[str, bytes], chain: Sequence[SignedLink]) -> dict[str, bytes]:
    """Return what stands beside the files of the last publication of a chain."""
    own = {name: data for name, data in files.items() if name not in ADDED}
    return {
        SIGNATURE: base64.b64decode(chain[-1].link.manifest_signature),
        BLOCKS: block_table(own),
        CHAIN: b"".join(each.line for each in chain),
    }


def verify(files: Mapping[str, bytes], trusted: Sequence[str] = ()) -> list[Words]:
    """Return what does not hold of a published directory: a sentence each, none if all holds.

    `trusted` are the public keys that may have signed; none given, any may, and it is for the reader to
    compare the key with the one that the authority tells.
    """
    if CHAIN not in files:
        return [_NOT_SIGNED_AT_ALL]
    chain, found = read_chain(files[CHAIN])
    found += links.faults(chain)
    found += [
        _STRANGER.fill(number=each.link.number, key=each.link.key)
        for each in chain
        if trusted and each.link.key not in trusted
    ]
    if not chain:
        return found or [_NOT_SIGNED_AT_ALL]
    return [*found, *_directory_faults(files, chain[-1].link)]


def read_chain(data: bytes) -> tuple[list[SignedLink], list[Words]]:
    """Return the links of `chain.jsonl`, and what is wrong with its lines."""
    chain, found = [], []
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        link = links.read_line(line)
        if link is None:
            found.append(_LINE.fill(number=number))
        else:
            chain.append(link)
    return chain, found


def _directory_faults(files: Mapping[str, bytes], link: Link) -> Iterator[Words]:
    """Compare every file with what the last link says."""
    own = {name: data for name, data in files.items() if name not in ADDED}
    table = files.get(BLOCKS, b"")
    is_table_sound = sha256(table) == link.blocks
    signed = read_table(table) if is_table_sound else {}
    manifest = files.get(MANIFEST)
    is_manifest_sound = manifest is not None and sha256(manifest) == link.manifest
    if manifest is None:
        yield _GONE.fill(name=MANIFEST)
    elif not is_manifest_sound:
        yield _changed(MANIFEST, manifest, signed)
    signature = base64.b64decode(link.manifest_signature)
    if files.get(SIGNATURE) != signature:
        yield _against(SIGNATURE, files.get(SIGNATURE), signature)
    elif manifest is not None and is_manifest_sound and not is_signed(manifest, signature, link.key):
        yield _WRONG_SIGNATURE
    if not is_table_sound:
        expected = block_table(own)
        yield _against(BLOCKS, files.get(BLOCKS), expected if sha256(expected) == link.blocks else None)
    if is_manifest_sound:
        yield from _against_manifest(own, signed)
    else:
        yield from _against_blocks(own, signed)


def _against_manifest(own: Mapping[str, bytes], signed: Mapping[str, Signed]) -> Iterator[Words]:
    entries = read_manifest(own[MANIFEST])
    for name, entry in entries.items():
        if name not in own:
            yield _GONE.fill(name=name)
        elif sha256(own[name]) != "sha256:" + entry.sha256.removeprefix("sha256:") or (
            len(own[name]) != entry.length
        ):
            yield _changed(name, own[name], signed)
    for name in own:
        if name not in entries and name != MANIFEST:
            yield _STRANGE_FILE.fill(name=name)


def _against_blocks(own: Mapping[str, bytes], signed: Mapping[str, Signed]) -> Iterator[Words]:
    """Compare files where the manifest itself cannot be relied on."""
    if not signed:
        yield _UNKNOWN_FILES
        return
    for name, each in signed.items():
        if name == MANIFEST:
            continue
        if name not in own:
            yield _GONE.fill(name=name)
        elif len(own[name]) != each.length or differences(own[name], each):
            yield _changed(name, own[name], signed)
    for name in own:
        if name not in signed:
            yield _STRANGE_FILE.fill(name=name)


def _changed(name: str, data: bytes, signed: Mapping[str, Signed]) -> Words:
    """Say that a file is not what was signed, and where, if that can be known."""
    if name not in signed:
        return _CHANGED.fill(name=name)
    found = differences(data, signed[name])
    if len(found) == 1 and found[0].was is not None:
        at = found[0].first
        return _ONE_BYTE.fill(name=name, at=at, now=f"0x{data[at]:02x}", was=f"0x{found[0].was:02x}")
    if len(data) != signed[name].length:
        first = found[0].first if found else min(len(data), signed[name].length)
        return _LENGTH.fill(name=name, now=len(data), was=signed[name].length, at=first)
    places = ", ".join(f"{each.first}-{each.last}" for each in found[:_MAX_RANGES])
    return _RANGES.fill(name=name, ranges=places + (", …" if len(found) > _MAX_RANGES else ""))


def _against(name: str, data: bytes | None, expected: bytes | None) -> Words:
    """Say how a file differs from what it is known to have been."""
    if data is None:
        return _GONE.fill(name=name)
    at = None if expected is None else first_difference(data, expected)
    if expected is None or at is None:
        return _CHANGED.fill(name=name)
    if len(data) != len(expected):
        return _LENGTH.fill(name=name, now=len(data), was=len(expected), at=at)
    return _ONE_BYTE.fill(name=name, at=at, now=f"0x{data[at]:02x}", was=f"0x{expected[at]:02x}")


def _check_act(act: Act, chain: Sequence[SignedLink]) -> None:
    if not act.what.strip() or not act.by.strip():
        raise PublishingError("say what is published, and who publishes it: both are signed")
    if act.corrects is not None and not 1 <= act.corrects <= len(chain):
        raise PublishingError(
            f"there is no publication {act.corrects} to be corrected: `kerbsafe report list` shows them"
        )
    if act.corrects is not None and not act.why.strip():
        raise PublishingError("a correction says why: give --why")


_NO_MANIFEST = Words(
    "the directory has no manifest.json that can be read: publish what `kerbsafe report make` has written",
    "目录中没有可读的 manifest.json：只能发布由 `kerbsafe report make` 生成的目录",
)
_NOT_PUBLISHED = Words("nothing is published: {fault}", "未发布：{fault}")
_NOT_SIGNED_AT_ALL = Words(
    "chain.jsonl: there is none that can be read: the directory was not published",
    "chain.jsonl：没有可读的内容，该目录未曾发布",
)
_LINE = Words(
    "chain.jsonl: line {number} is not as it was written", "chain.jsonl：第 {number} 行与写入时不同"
)
_STRANGER = Words(
    "chain: link {number} is signed by {key}, which is not the key you trust",
    "链：第 {number} 环由 {key} 签名，不是您信任的公钥",
)
_WRONG_SIGNATURE = Words(
    "manifest.sig: not the signature of the key that the link names", "manifest.sig：不是该环所记公钥的签名"
)
_GONE = Words("{name}: is missing, and was signed", "{name}：缺失（已签名的文件）")
_STRANGE_FILE = Words("{name}: was not signed, and does not belong here", "{name}：未经签名，不属于本目录")
_CHANGED = Words(
    "{name}: is not what was signed; which byte cannot be known", "{name}：与签名时不同，无法确定是哪个字节"
)
_ONE_BYTE = Words(
    "{name}: byte {at} (counted from 0) is {now}, and was {was} when signed",
    "{name}：第 {at} 字节（从0计）为 {now}，签名时为 {was}",
)
_RANGES = Words(
    "{name}: is not what was signed, within bytes {ranges}", "{name}：与签名时不同，位于字节 {ranges} 之内"
)
_LENGTH = Words(
    "{name}: has {now} bytes, and had {was} when signed; it differs from byte {at} on, or somewhat later",
    "{name}：现有 {now} 字节，签名时为 {was} 字节；自第 {at} 字节或稍后起不同",
)
_UNKNOWN_FILES = Words(
    "the other files cannot be checked: neither the manifest nor blocks.json is what was signed",
    "其余文件无法核对：manifest.json 与 blocks.json 均与签名时不同",
)
