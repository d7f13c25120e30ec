"""Files of the page are known by name alone: no path leads anywhere else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from console.pages import Pages, read_pages
from console.problems import Kind, ProblemError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "dist"
    built.mkdir()
    (built / "index.html").write_text("<!doctype html><title>Kerbsafe</title>")
    (built / "app.js").write_text("export {};")
    (built / "app.js.map").write_text("secret source")
    (built / "app.js.br").write_bytes(b"brotli")
    (built / "app.js.gz").write_bytes(b"gzip")
    (tmp_path / "settings.txt").write_text("secret")
    return built


def asked(name: str, known: str | None = None, accepted: str = "") -> Any:
    tags = () if known is None else (SimpleNamespace(value=known),)
    headers = {"Accept-Encoding": accepted} if accepted else {}
    return SimpleNamespace(match_info={"name": name}, if_none_match=tags, headers=headers)


async def test_files_are_served_with_their_type(folder: Path) -> None:
    pages = read_pages(folder)
    assert pages.built
    answer = await pages.asset(asked("app.js"))
    assert (answer.status, answer.content_type, answer.body) == (200, "text/javascript", b"export {};")
    assert (await pages.page(asked(""))).content_type == "text/html"


async def test_what_is_known_is_not_sent_again(folder: Path) -> None:
    pages = read_pages(folder)
    tag = (await pages.asset(asked("app.js"))).headers["ETag"].strip('"')
    assert (await pages.asset(asked("app.js", tag))).status == 304


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"brotli"),
        ("gzip, deflate", "gzip", b"gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", b"gzip"),
        ("br; q=0.0, *", "gzip", b"gzip"),
        ("*", "br", b"brotli"),
        ("GZIP", "gzip", b"gzip"),
        ("identity", None, b"export {};"),
        ("deflate", None, b"export {};"),
        ("", None, b"export {};"),
    ],
)
async def test_files_come_as_the_browser_takes_them(
    folder: Path, accepted: str, coding: str | None, body: bytes
) -> None:
    pages = read_pages(folder)
    answer = await pages.asset(asked("app.js", accepted=accepted))
    assert (answer.headers.get("Content-Encoding"), answer.body) == (coding, body)
    assert answer.headers["Vary"] == "Accept-Encoding"
    # Whoever has it in this coding has it; in another one it is something else.
    tag = answer.headers["ETag"].strip('"')
    assert (await pages.asset(asked("app.js", tag, accepted))).status == 304
    other = "identity" if coding else "br"
    assert (await pages.asset(asked("app.js", tag, other))).status == 200


@pytest.mark.parametrize(
    "name",
    [
        "../settings.txt",
        "..%2fsettings.txt",
        "/etc/passwd",
        "app.js.map",
        "app.js.br",
        "app.js\0",
        "",
        ".",
        "APP.JS",
    ],
)
async def test_path_tricks_find_nothing(folder: Path, name: str) -> None:
    with pytest.raises(ProblemError) as problem:
        await read_pages(folder).asset(asked(name))
    assert problem.value.kind is Kind.NOT_FOUND


async def test_a_page_that_is_not_built_says_so(tmp_path: Path) -> None:
    pages = read_pages(tmp_path / "nothing")
    assert pages == Pages({})
    assert b"make setup" in bytes((await pages.page(asked(""))).body)
