"""What `uv build` makes is whole: the page, SQL, migrations and rulebooks are in it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from console.pages import read_pages

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("fleet", "ingest", "alerts", "analytics", "console", "simulators", "kerbsafe")
#: Sources of the page, which is in the wheel as it is served.
WEB = ROOT / "console" / "web"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made from the source distribution as an index would, unpacked."""
    uv = ROOT / ".venv-uv" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("there is no uv: run `make setup`")
    made = tmp_path_factory.mktemp("dist")
    command = [uv, "build", "--quiet", "--out-dir", made, ROOT]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (file,) = made.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(made / "site")
    return made / "site"


def test_every_file_that_a_package_reads_is_in_it(wheel: Path) -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    wanted = {path for path in files if "__pycache__" not in path.parts and WEB not in path.parents}
    wanted |= set((WEB / "dist").iterdir())
    assert len({path for path in wanted if path.suffix == ".sql"}) > 10
    assert sorted(str(path) for path in wanted if not (wheel / path.relative_to(ROOT)).is_file()) == []


def test_nothing_else_is_in_it(wheel: Path) -> None:
    assert {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")} == set(PACKAGES)
    assert {path.name for path in (wheel / "console" / "web").iterdir()} == {"dist"}


@pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")
def test_what_is_installed_serves_the_page(wheel: Path) -> None:
    """Without the project's folder: the packages are those of the wheel."""
    asked = (
        "import console, console.server, alerts.rulebook, fleet.migrate, kerbsafe.cli; "
        "from console.pages import read_pages; "
        "print(console.__file__, read_pages().built, sorted(read_pages().assets)); "
        "kerbsafe.cli.main(['console', 'openapi'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    command = [sys.executable, "-P", "-c", asked]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment, cwd=wheel.parent
    )
    first = done.stdout.splitlines()[0]
    assert first.startswith(str(wheel))
    assert "True" in first
    assert "app.js" in first
    assert '"openapi": "3.1.0"' in done.stdout
