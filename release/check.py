"""What must hold before wheel and sdist are built: CHANGELOG.md knows the version, and the tag is its name.

`python -m release.check`, which `make dist` runs first.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class NotReadyError(Exception):
    """What is in the way of a release, and the remedy."""


def standing(changelog: str, version: str, tags: set[str]) -> str:
    """Say what is being built: a release, or what comes after the last one.

    Parameters
    ----------
    changelog
        The text of CHANGELOG.md, with a section `## VERSION` or `## [VERSION]` a release.
    tags
        Those of the commit.

    Raises
    ------
    NotReadyError
        If no section says what is in this version, or the commit has the tag of another version.
    """
    named = re.compile(r"^## \[?([^\]\s]+)\]?.*\n((?:(?!## ).*\n?)*)", re.MULTILINE)
    sections = {name: text.strip() for name, text in named.findall(changelog)}
    other = sorted(tag for tag in tags if re.fullmatch(r"v\d.*", tag) and tag != f"v{version}")
    if other:
        raise NotReadyError(f"this commit has the tag {other[0]}, and pyproject.toml the version {version}")
    if sections.get(version):
        return f"kerbsafe {version}: a release; its notes are in CHANGELOG.md"
    if f"v{version}" in tags:
        raise NotReadyError(
            f"this commit has the tag v{version}: name the section `## {version}` in CHANGELOG.md"
        )
    if sections.get("Unreleased"):
        return f"kerbsafe {version}: not released; CHANGELOG.md has its notes under Unreleased"
    raise NotReadyError(f"CHANGELOG.md says nothing of {version}: write `## {version}` or `## Unreleased`")


def main() -> int:
    """Check this tree."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    try:
        print(standing((ROOT / "CHANGELOG.md").read_text("utf-8"), version, _tags()))
    except NotReadyError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def _tags() -> set[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return set()
    command = [git, "-C", str(ROOT), "tag", "--points-at", "HEAD"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


if __name__ == "__main__":
    sys.exit(main())
