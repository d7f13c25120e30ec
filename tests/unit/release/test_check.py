"""A release has its notes, and the tag is its name."""

from __future__ import annotations

import pytest

from release.check import NotReadyError, standing

RELEASED = (
    "# Changelog\n\n## Unreleased\n\n## [0.2.0] - 2026-12-01\n\n- A rule.\n\n## 0.1.0\n\n- All of it.\n"
)
UNRELEASED = "# Changelog\n\n## Unreleased\n\n### Added\n- A rule.\n"


@pytest.mark.parametrize(
    ("changelog", "version", "tags", "said"),
    [
        (RELEASED, "0.2.0", set(), "kerbsafe 0.2.0: a release"),
        (RELEASED, "0.2.0", {"v0.2.0", "nightly"}, "kerbsafe 0.2.0: a release"),
        (RELEASED, "0.1.0", set(), "kerbsafe 0.1.0: a release"),
        (UNRELEASED, "0.1.0", set(), "kerbsafe 0.1.0: not released"),
    ],
)
def test_what_is_built_is_said(changelog: str, version: str, tags: set[str], said: str) -> None:
    assert standing(changelog, version, tags).startswith(said)


@pytest.mark.parametrize(
    ("changelog", "version", "tags", "why"),
    [
        (RELEASED, "0.3.0", set(), "says nothing of 0.3.0"),
        ("# Changelog\n\n## 0.3.0\n\n## 0.2.0\n\n- A rule.\n", "0.3.0", set(), "says nothing of 0.3.0"),
        ("", "0.1.0", set(), "says nothing of 0.1.0"),
        (RELEASED, "0.2.0", {"v0.3.0"}, "has the tag v0.3.0, and pyproject.toml the version 0.2.0"),
        (UNRELEASED, "0.1.0", {"v0.1.0"}, "name the section `## 0.1.0`"),
    ],
)
def test_what_has_no_notes_or_another_name_is_not_built(
    changelog: str, version: str, tags: set[str], why: str
) -> None:
    with pytest.raises(NotReadyError, match=why):
        standing(changelog, version, tags)
