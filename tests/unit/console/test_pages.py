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
    (tmp_path / "settings.txt").write_text("secret")
    return built


def asked(name: str, known: str | None = None) -> Any:
    tags = () if known is None else (SimpleNamespace(value=known),)
    return SimpleNamespace(match_info={"name": name}, if_none_match=tags)


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
    "name",
    ["../settings.txt", "..%2fsettings.txt", "/etc/passwd", "app.js.map", "app.js\0", "", ".", "APP.JS"],
)
async def test_path_tricks_find_nothing(folder: Path, name: str) -> None:
    with pytest.raises(ProblemError) as problem:
        await read_pages(folder).asset(asked(name))
    assert problem.value.kind is Kind.NOT_FOUND


async def test_a_page_that_is_not_built_says_so(tmp_path: Path) -> None:
    pages = read_pages(tmp_path / "nothing")
    assert pages == Pages({})
    assert b"make setup" in bytes((await pages.page(asked(""))).body)
