"""Pages point at what is there, and stand alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text("utf-8")) if not t.startswith(("http", "mailto:"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_refers_to_what_is_not_in_the_project(page: Path) -> None:
    assert "../shared" not in page.read_text("utf-8")


def test_the_readme_shows_the_two_commands_on_its_first_screen() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text("utf-8").splitlines()[:15])
    assert "make demo" in first_screen
    assert "make test" in first_screen


def test_every_page_is_reached_from_the_readme() -> None:
    """A page that nobody finds is not documentation."""
    seen, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        for target in LINK.findall(page.read_text("utf-8")):
            if not target.startswith("http"):
                found = (page.parent / target).resolve()
                open_pages += sorted(found.glob("*.md")) if found.is_dir() else [found]
    assert sorted(str(page.relative_to(ROOT)) for page in set(PAGES) - seen) == []
