"""What is put on a machine without a network: the tree as git would bring it, and wheels."""

from __future__ import annotations

import platform
import re
import subprocess
import zipfile
from pathlib import Path

import openpyxl

from release.bundle import Target, download, for_target
from tests.integration.deploy.conftest import ROOT
from tests.integration.deploy.person import TRUCK


def make_wheels(folder: Path) -> None:
    """Put the wheels of a bundle into a folder: Kerbsafe's, and what `uv.lock` names for Debian 13."""
    uv = ROOT / ".venv-uv/bin/uv"
    output_of(uv, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT)
    what = "--frozen --no-dev --extra=report --no-emit-project --no-annotate --no-header"
    target = Target("3.13", platform.machine())
    download(for_target(output_of(uv, "export", "--directory", ROOT, *what.split()), target), target, folder)


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
