"""What is put on a machine without a network: the tree as git would bring it, and wheels."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import openpyxl
from packaging.requirements import Requirement

from tests.integration.deploy.conftest import ROOT
from tests.integration.deploy.person import TRUCK

#: Debian 13's.
PYTHON = {"python_version": "3.13", "python_full_version": "3.13.5"}


def make_wheels(folder: Path) -> None:
    """Kerbsafe and all that it needs, for the machine's Python, as `uv.lock` says."""
    uv = ROOT / ".venv-uv/bin/uv"
    output_of(uv, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    what = "--frozen --no-dev --extra=report --no-emit-project --no-hashes --no-annotate --no-header"
    locked = output_of(uv, "export", "--directory", ROOT, *what.split())
    needed = [Requirement(line) for line in locked.splitlines()]
    pins = [
        f"{one.name}{one.specifier}"
        for one in needed
        if one.marker is None or one.marker.evaluate(dict(PYTHON))
    ]
    where = ("--python-version=3.13", "--only-binary=:all:", "--no-deps", f"--dest={folder}")
    output_of(ROOT / ".venv-uv/bin/python", "-m", "pip", "download", "--quiet", *where, *pins)


def output_of(*argv: object) -> str:
    done = subprocess.run(
        [str(word) for word in argv], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def with_migration(wheels: Path, into: Path, statement: str) -> None:
    """Make a folder of wheels whose Kerbsafe has a migration more."""
    into.mkdir()
    for wheel in wheels.glob("*.whl"):
        (into / wheel.name).write_bytes(wheel.read_bytes())
    [ours] = into.glob("kerbsafe-*.whl")
    with zipfile.ZipFile(ours, "a") as archive:
        last = max(name for name in archive.namelist() if re.match(r"fleet/migrations/\d+_\w+\.sql$", name))
        archive.writestr(f"fleet/migrations/{int(Path(last).name[:4]) + 1:04}_one_more.sql", statement)


def put_tree(into: Path) -> None:
    """Put what git would bring, for nobody but root to read."""
    into.mkdir(mode=0o700)
    listed = output_of("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard")
    for name in listed.splitlines():
        if (ROOT / name).is_file() and not name.startswith("console/web/src"):
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            (into / name).write_bytes((ROOT / name).read_bytes())
            (into / name).chmod((ROOT / name).stat().st_mode)
    write_fleet(into / "fleet.xlsx")


def write_fleet(path: Path) -> None:
    book = openpyxl.Workbook()
    companies, vehicles = book.active, book.create_sheet("vehicles")
    assert companies is not None
    companies.title = "companies"
    for row in (["code", "name"], ["jx", "嘉兴"]):
        companies.append(row)
    for row in (["code", "company", "kind", "limit_kmh"], [TRUCK, "jx", "mixer", 40]):
        vehicles.append(row)
    book.save(path)
