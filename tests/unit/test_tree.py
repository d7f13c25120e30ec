"""What the tree promises a newcomer, beside the import contracts: what is pure, and what is not there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("fleet", "ingest", "alerts", "analytics", "console", "simulators", "kerbsafe")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
#: What talks to a database, a broker, a clock, a process. Everything else is pure, and so is all that it
#: imports: functions of their arguments. A folder means all of it.
SHELLS = (
    "alerts/notices/channels",
    "alerts/handling/handling.py",
    "alerts/knowledge.py",
    "alerts/notices/outbox.py",
    "alerts/rulebook/rulebook_store.py",
    "alerts/settling/settle.py",
    "alerts/settling/settling.py",
    "alerts/store/checkpoint_store.py",
    "alerts/store/store.py",
    "alerts/store/stored.py",
    "alerts/store/turn_store.py",
    "alerts/settling/unsettled.py",
    "alerts/store/vitals.py",
    "alerts/worker.py",
    "analytics/ledger/candidates/store.py",
    "analytics/ledger/claims/store.py",
    "analytics/ledger/evidence/store.py",
    "analytics/days/nightly.py",
    "analytics/days/reading.py",
    "analytics/days/restating.py",
    "analytics/days/store.py",
    "analytics/facts/store.py",
    "analytics/ledger/store.py",
    "analytics/policies/store.py",
    "analytics/publishing/store.py",
    "analytics/report/store.py",
    "analytics/places/store.py",
    "analytics/quality/store.py",
    "console",
    "fleet/accounts.py",
    "fleet/audit.py",
    "fleet/archive/days.py",
    "fleet/archive/holds.py",
    "fleet/archive/keeping.py",
    "fleet/archive/objects.py",
    "fleet/archive/reading.py",
    "fleet/archive/stores.py",
    "fleet/clock.py",
    "fleet/commands/store.py",
    "fleet/db.py",
    "fleet/fences/store.py",
    "fleet/installation.py",
    "fleet/migrate.py",
    "fleet/registry.py",
    "fleet/registry_import/store.py",
    "fleet/service.py",
    "fleet/setting_values.py",
    "fleet/environment.py",
    "fleet/settings.py",
    "fleet/sights.py",
    "fleet/stopping.py",
    "fleet/supervisor.py",
    "fleet/tracks.py",
    "fleet/waiting.py",
    "fleet/webhook.py",
    "ingest/days_ahead.py",
    "ingest/mqtt/broker_status.py",
    "ingest/pipeline/checkpoints.py",
    "ingest/commands/carrier.py",
    "ingest/gateway/commands.py",
    "ingest/gateway/connection.py",
    "ingest/gateway/desk.py",
    "ingest/gateway/metrics.py",
    "ingest/gateway/process.py",
    "ingest/gateway/publisher.py",
    "ingest/gateway/reports.py",
    "ingest/gateway/seldom.py",
    "ingest/gateway/terminals.py",
    "ingest/pipeline/hotpath.py",
    "ingest/history/importing.py",
    "ingest/metrics.py",
    "ingest/mqtt/mqtt_log.py",
    "ingest/mqtt/mqtt_link.py",
    "ingest/pipeline/in_order.py",
    "ingest/process.py",
    "ingest/pipeline/progress.py",
    "ingest/history/retrying.py",
    "ingest/pipeline/staging.py",
    "ingest/pipeline/auto_registration.py",
    "ingest/mqtt/transport.py",
    "ingest/pipeline/writer.py",
    "kerbsafe",
    "simulators/load.py",
    "simulators/line.py",
    "simulators/publish.py",
    "simulators/terminals/fleet.py",
)
#: Pure all the same, inside of a shell.
PURE_WITHIN = (
    "console/accident_facts.py",
    "console/cursor.py",
    "console/frames.py",
    "console/guesses.py",
    "console/masking.py",
    "console/passwords.py",
    "console/remote.py",
    "console/throttle.py",
    "console/track.py",
    "console/zones.py",
    "kerbsafe/rulebook/alert_budget.py",
    "kerbsafe/drives/exposures.py",
    "kerbsafe/registry/import_report.py",
    "kerbsafe/jt808/jt808_decode.py",
    "kerbsafe/drives/playing.py",
    "kerbsafe/drives/recordings.py",
    "kerbsafe/replay/replay_rows.py",
    "kerbsafe/rulebook/rules_page.py",
    "kerbsafe/drives/speed_report.py",
)
#: What nobody imports who is pure.
IMPURE = {
    *(
        "aiohttp",
        "asyncio",
        "asyncpg",
        "http",
        "multiprocessing",
        "os",
        "prometheus_client",
        "random",
        "secrets",
    ),
    *("select", "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib"),
    *("secrets", "uvloop"),
}
#: Names that say nothing of what is inside.
NAMELESS = {"utils", "util", "common", "helpers", "helper", "core", "misc"}
#: Who may know how a process is watched.
WATCHERS = {"aiohttp", "prometheus_client"}


def runs(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes that are there when the module runs: what only a type checker sees is left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from runs(node)


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the dotted names of what a module imports when it runs, wherever in it."""
    names: set[str] = set()
    for node in runs(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


OURS = {dotted(path): path for path in MODULES}


def ours_of(path: Path) -> set[str]:
    """Return our modules that a module imports, and the packages that they are in."""
    parts = [name.split(".") for name in imported(path)]
    found = {".".join(name[:length]) for name in parts for length in range(1, len(name) + 1)}
    return found & OURS.keys() - {dotted(path)}


def impure() -> dict[str, str]:
    """Return the modules that are not pure, each with what makes it so."""
    why = {
        name: bad
        for name, path in OURS.items()
        if (bad := ", ".join(sorted({one.partition(".")[0] for one in imported(path)} & IMPURE)))
    }
    while more := {
        name: ", ".join(sorted(ours_of(path) & why.keys()))
        for name, path in OURS.items()
        if name not in why and ours_of(path) & why.keys()
    }:
        why |= more
    return why


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


def test_whoever_is_no_shell_is_pure_and_so_is_all_that_it_imports() -> None:
    """`now` and the like are arguments, and what is read is handed in."""
    shells = {dotted(path) for place in SHELLS for path in modules_of(place)}
    pure_within = {dotted(path) for place in PURE_WITHIN for path in modules_of(place)}
    found = impure()
    assert {name: why for name, why in found.items() if name not in shells or name in pure_within} == {}
    idle = [place for place in SHELLS if not {dotted(path) for path in modules_of(place)} & found.keys()]
    assert idle == [], "pure by now, or gone: take it out of SHELLS"


def test_only_the_service_module_of_the_kernel_knows_how_it_is_watched() -> None:
    knowing = {
        path.name
        for path in modules_of("fleet")
        if {name.partition(".")[0] for name in imported(path)} & WATCHERS
    }
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
