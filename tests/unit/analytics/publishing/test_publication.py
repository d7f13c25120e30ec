"""A published directory: an altered byte is found and named, and nothing can be taken from the chain."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.publishing import chain
from analytics.publishing.keys import PublishingError, SigningKey, is_signed, read_public
from analytics.publishing.publication import Act, publish, verify

KEY = SigningKey.of_seed(b"k" * 32)
OTHER_KEY = SigningKey.of_seed(b"o" * 32)
ACT = Act("report 2020-08-flash", datetime(2020, 9, 5, 8, tzinfo=UTC), "li.na")
CONTENTS = {
    "report.pdf": b"%PDF " + bytes(range(256)) * 20,
    "report.json": b'{"deaths": 3}\n',
    "empty.txt": b"",
}


def made(contents: dict[str, bytes]) -> dict[str, bytes]:
    entries = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in contents.items()
    }
    return contents | {"manifest.json": json.dumps({"report": "2020-08-flash", "files": entries}).encode()}


def published(before: list[chain.SignedLink] | None = None) -> dict[str, bytes]:
    files = made(CONTENTS)
    _, added = publish(files, before or [], KEY, ACT)
    return files | added


def said(files: dict[str, bytes], *trusted: str) -> list[str]:
    return [words.en for words in verify(files, trusted)]


def test_what_was_published_holds() -> None:
    assert said(published()) == []
    assert said(published(), KEY.public) == []


@pytest.mark.parametrize("name", sorted(published()))
def test_one_altered_byte_of_any_file_is_found_and_named(name: str) -> None:
    files = published()
    data = files[name]
    for at in sorted({0, len(data) // 2, len(data) - 1} if data else ()):
        altered = bytearray(data)
        altered[at] ^= 0x20
        (fault, *_) = said(files | {name: bytes(altered)})
        if name == "chain.jsonl":
            assert fault == "chain.jsonl: line 1 is not as it was written"
        else:
            now, was = altered[at], data[at]
            assert (
                fault == f"{name}: byte {at} (counted from 0) is 0x{now:02x}, and was 0x{was:02x} when signed"
            )


@settings(max_examples=6)
@given(at=st.integers(0, len(CONTENTS["report.pdf"]) - 1), value=st.integers(1, 255))
def test_the_byte_is_found_wherever_it_is(at: int, value: int) -> None:
    files = published()
    altered = bytearray(files["report.pdf"])
    altered[at] ^= value
    (fault,) = said(files | {"report.pdf": bytes(altered)})
    assert fault.startswith(f"report.pdf: byte {at} (counted from 0)")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"report.json": None}, "report.json: is missing, and was signed"),
        ({"manifest.sig": None}, "manifest.sig: is missing, and was signed"),
        ({"blocks.json": None}, "blocks.json: is missing, and was signed"),
        ({"manifest.json": None}, "manifest.json: is missing, and was signed"),
        (
            {"chain.jsonl": None},
            "chain.jsonl: there is none that can be read: the directory was not published",
        ),
        ({"more.txt": b"x"}, "more.txt: was not signed, and does not belong here"),
        (
            {"report.json": b'{"deaths": 3}'},
            "report.json: has 13 bytes, and had 14 when signed; it differs from byte 0 on, or somewhat later",
        ),
        (
            {"empty.txt": b"x"},
            "empty.txt: has 1 bytes, and had 0 when signed; it differs from byte 0 on, or somewhat later",
        ),
        (
            {"report.json": b'{"deaths": 31'},
            "report.json: has 13 bytes, and had 14 when signed; it differs from byte 0 on, or somewhat later",
        ),
        ({"report.json": b'{"death_": 2}\n'}, "report.json: is not what was signed, within bytes 0-13"),
    ],
)
def test_other_changes_are_named(change: dict[str, bytes | None], fault: str) -> None:
    files = {**published(), **change}
    assert fault in said({name: data for name, data in files.items() if data is not None})


def test_a_manifest_put_in_its_place_does_not_hide_a_change() -> None:
    forged = made(CONTENTS | {"report.json": b'{"deaths": 0}\n'})
    faults = said(published() | forged)
    assert "report.json: byte 11 (counted from 0) is 0x30, and was 0x33 when signed" in faults
    assert any(fault.startswith("manifest.json: ") for fault in faults)


def test_whoever_signs_anew_is_another() -> None:
    files = made(CONTENTS | {"report.json": b'{"deaths": 0}\n'})
    _, added = publish(files, [], OTHER_KEY, ACT)
    assert said(files | added) == []  # which is why the key is compared with the one that is told
    (fault,) = said(files | added, KEY.public)
    assert fault == f"chain: link 1 is signed by {OTHER_KEY.public}, which is not the key you trust"


def a_chain(length: int) -> list[chain.SignedLink]:
    links: list[chain.SignedLink] = []
    for number in range(length):
        files = made(CONTENTS | {"report.json": str(number).encode()})
        links.append(publish(files, links, KEY, ACT)[0])
    return links


def test_a_link_that_was_removed_is_found() -> None:
    links = a_chain(4)
    assert chain.faults(links) == []
    without = [links[0], *links[2:]]
    assert [fault.en for fault in chain.faults(without)] == [
        "chain: link 2 is missing before link 3: it was removed"
    ]
    assert [fault.en for fault in chain.faults(links[1:])] == [
        "chain: link 1 is missing before link 2: it was removed"
    ]


def test_a_link_that_was_replaced_is_found() -> None:
    links = a_chain(3)
    changed = replace(links[1], link=replace(links[1].link, what="something else"))
    assert [fault.en for fault in chain.faults([links[0], changed, links[2]])] == [
        "chain: link 2 was changed: its signature does not hold",
        "chain: link 3 does not name link 2 as the one before it: one of them was replaced",
    ]
    signed_anew = chain.sign(replace(links[1].link, what="something else"), KEY)
    assert [fault.en for fault in chain.faults([links[0], signed_anew, links[2]])] == [
        "chain: link 3 does not name link 2 as the one before it: one of them was replaced"
    ]


def test_the_directory_carries_the_chain_until_then() -> None:
    links = a_chain(2)
    files = published(links)
    assert said(files) == []
    assert len(files["chain.jsonl"].splitlines()) == 3
    lines = files["chain.jsonl"].splitlines(keepends=True)
    assert said(files | {"chain.jsonl": lines[0] + lines[2]}) == [
        "chain: link 2 is missing before link 3: it was removed"
    ]


def test_nothing_is_signed_that_is_not_whole() -> None:
    files = made(CONTENTS)
    with pytest.raises(PublishingError, match=r"nothing is published: report.json: is missing"):
        publish({name: data for name, data in files.items() if name != "report.json"}, [], KEY, ACT)
    with pytest.raises(PublishingError, match=r"report.json: is not what was signed"):
        publish(files | {"report.json": b"x"}, [], KEY, ACT)
    with pytest.raises(PublishingError, match=r"more.txt: was not signed"):
        publish(files | {"more.txt": b"x"}, [], KEY, ACT)
    with pytest.raises(PublishingError, match=r"no manifest.json that can be read"):
        publish(CONTENTS, [], KEY, ACT)
    with pytest.raises(PublishingError, match=r"there is no publication 7"):
        publish(files, [], KEY, replace(ACT, corrects=7, why="late death"))
    with pytest.raises(PublishingError, match=r"a correction says why"):
        publish(files, a_chain(1), KEY, replace(ACT, corrects=1))


def test_a_key_is_read_back_and_has_no_text() -> None:
    key = SigningKey.new()
    assert SigningKey.read(key.pem).public == key.public
    assert key.pem.decode() not in f"{key!r} {key}"
    assert read_public(key.public) == key.public
    assert is_signed(b"x", key.sign(b"x"), key.public)
    assert not is_signed(b"y", key.sign(b"x"), key.public)
    with pytest.raises(PublishingError, match="holds no Ed25519 key"):
        SigningKey.read(b"-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(PublishingError, match="is no public key"):
        read_public("ed25519:AAAA")


def test_the_signature_is_what_the_standard_says() -> None:
    """RFC 8032, section 7.1, test 2."""
    key = SigningKey.of_seed(
        bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    )
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
