"""What the tree promises a newcomer, beside the import contracts: what is pure, and what is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("fleet", "ingest", "alerts", "analytics", "console", "simulators", "kerbsafe")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
#: Functions of their arguments: no clock, no dice, no disk, no network. A folder means all of it.
PURE = (
    "fleet/columns.py",
    "fleet/datum.py",
    "fleet/fences/index.py",
    "fleet/fences/passes.py",
    "fleet/fences/raster.py",
    "fleet/fences/versions.py",
    "fleet/geo.py",
    "fleet/language.py",
    "fleet/printable.py",
    "fleet/quality.py",
    "fleet/schedule.py",
    "fleet/textfile.py",
    "fleet/trackfile/account.py",
    "fleet/trackfile/collecting.py",
    "fleet/trackfile/csvfile.py",
    "fleet/trackfile/drives.py",
    "fleet/trackfile/gpx.py",
    "fleet/trackfile/headers.py",
    "fleet/trackfile/ndjson.py",
    "fleet/trackfile/times.py",
    "fleet/units.py",
    "fleet/wire",
    "ingest/gaps.py",
    "ingest/mqtt_inbox.py",
    "ingest/mqtt_session.py",
    "ingest/screen.py",
    "alerts/rules",
    "alerts/arrivals.py",
    "alerts/aside.py",
    "alerts/belief.py",
    "fleet/speed_quality.py",
    "alerts/conflicts.py",
    "alerts/context.py",
    "alerts/decision.py",
    "alerts/comparison.py",
    "alerts/engine.py",
    "alerts/episodes.py",
    "alerts/exposure.py",
    "alerts/following.py",
    "alerts/lasting.py",
    "alerts/layers.py",
    "alerts/lifecycle.py",
    "alerts/memory.py",
    "alerts/matching.py",
    "alerts/motion.py",
    "alerts/notify.py",
    "alerts/replay.py",
    "alerts/record.py",
    "alerts/reporting.py",
    "alerts/rounds.py",
    "alerts/rule_table.py",
    "alerts/rulebook.py",
    "alerts/sightings.py",
    "alerts/state.py",
    "alerts/stretches.py",
    "alerts/timeliness.py",
    "alerts/transitions.py",
    "analytics/exposure",
    "analytics/statistics",
    "analytics/ledger/accident.py",
    "analytics/ledger/codes.py",
    "analytics/ledger/columns.py",
    "analytics/ledger/counting.py",
    "analytics/ledger/duplicates.py",
    "analytics/ledger/history.py",
    "analytics/ledger/merging.py",
    "analytics/ledger/planning.py",
    "analytics/ledger/reading.py",
    "analytics/ledger/scopes.py",
    "analytics/ledger/severity.py",
)
IMPURE = {"asyncio", "asyncpg", "os", "socket", "time", "random"}
#: Names that say nothing of what is inside.
NAMELESS = {"utils", "util", "common", "helpers", "helper", "core", "misc"}
#: Who may know how a process is watched.
WATCHERS = {"aiohttp", "prometheus_client"}


def imported(path: Path) -> set[str]:
    """Return the top names of what a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module.partition(".")[0])
    return names


#: What every machine has on which tests run; git where there is a checkout.
EVERYWHERE = {"sh", "/bin/sh", "git"}
STARTERS = {"subprocess.run", "subprocess.Popen", "asyncio.create_subprocess_exec"}


def machines_programs(path: Path) -> list[str]:
    """Return where a test module looks for a program of the machine, or calls one by its name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called in {"shutil.which", "which"}:
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {called}")
        deployed = called == "run" and path.parent.name == "deploy"
        if deployed or called in STARTERS:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.List | ast.Tuple):
                first = first.elts[0]
            if isinstance(first, ast.Constant) and first.value not in EVERYWHERE:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {first.value}")
    return found


def modules_of(place: str) -> list[Path]:
    path = ROOT / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


@pytest.mark.parametrize("place", PURE)
def test_pure_modules_are_pure(place: str) -> None:
    found = modules_of(place)
    assert found
    for path in found:
        assert path.is_file(), f"{place} is gone: take it out of PURE, or put its new name there"
        assert not imported(path) & IMPURE, (
            f"{path.relative_to(ROOT)} is pure; `now` and the like are arguments"
        )


def test_only_the_service_module_of_the_kernel_knows_how_it_is_watched() -> None:
    knowing = {path.name for path in modules_of("fleet") if imported(path) & WATCHERS}
    assert knowing == {"service.py"}


def test_every_name_says_what_is_inside() -> None:
    names = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert not names & NAMELESS


def test_the_product_knows_nothing_of_the_folder_beside_it() -> None:
    product = [*MODULES, *(path for package in PACKAGES for path in (ROOT / package).rglob("*.sql"))]
    mentioning = [path for path in product if re.search(r"/shared\b", path.read_text("utf-8"))]
    assert mentioning == []


def test_tests_get_the_machines_programs_at_the_door() -> None:
    """`tests/door.py` skips by name where there is none; parts need no door, wherever they are asked for."""
    modules = [path for path in (ROOT / "tests").rglob("*.py") if path.name != "door.py"]
    assert len(modules) > 100
    assert [line for path in modules for line in machines_programs(path)] == []


def test_modules_can_be_read_whole() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in MODULES
        if (lines := len(path.read_text("utf-8").splitlines())) > 450
    }
    assert long == {}
