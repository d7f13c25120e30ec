"""What `make dist` and `make bundle` make is whole, and holds nothing that merely lay about."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from console.pages import read_pages
from release import bundle
from tests.door import program

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("fleet", "ingest", "alerts", "analytics", "console", "simulators", "kerbsafe")
#: Sources of the page, which is in the wheel as it is served.
WEB = ROOT / "console" / "web"
PEERS = {"bench_fences.py", "naive_engine.py", "naive_ingest.py", "naive_jt808.py", "naive_turns.py"}
#: What lies in the tree of an operator and must not leave it.
PRIVATE = ("deploy/secrets/db_owner", "deploy/files/fleet.xlsx", "deploy/.env", "fleet.xlsx", ".env")
HERE = bundle.Target(f"{sys.version_info[0]}.{sys.version_info[1]}", "x86_64")

pytestmark = pytest.mark.skipif(not read_pages().built, reason="the page is not built: run `make setup`")


@pytest.fixture(scope="module")
def tracked() -> set[str]:
    """The files of the project."""
    if not (ROOT / ".git").exists():
        pytest.skip("this tree is not a checkout of git, which knows what belongs to the project")
    command = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def dist(tracked: set[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist of a tree with private files in it; the wheel is made from the sdist."""
    uv = ROOT / ".venv-uv" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("there is no uv: run `make setup`")
    tree = tmp_path_factory.mktemp("tree")
    for name in tracked:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tree / name)
    shutil.copytree(WEB / "dist", tree / "console/web/dist")
    for name in PRIVATE:
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text("s3cret")
    made = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [uv, "build", "--quiet", "--out-dir", made, tree], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    """The wheel, unpacked."""
    (file,) = dist.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(dist / "site")  # noqa: S202 - made here, a moment ago
    return dist / "site"


def test_every_file_that_a_package_reads_is_in_the_wheel(wheel: Path) -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]
    wanted = {path for path in files if "__pycache__" not in path.parts and WEB not in path.parents}
    wanted |= set((WEB / "dist").iterdir())
    assert len({path for path in wanted if path.suffix == ".sql"}) > 10
    assert sorted(str(path) for path in wanted if not (wheel / path.relative_to(ROOT)).is_file()) == []


def test_nothing_else_is_in_the_wheel(wheel: Path) -> None:
    assert {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")} == set(PACKAGES)
    assert {path.name for path in (wheel / "console" / "web").iterdir()} == {"dist"}
    assert {path.name for path in (wheel / "kerbsafe/bench/peers").iterdir()} == PEERS


def run(wheel: Path, *arguments: object) -> str:
    """Run Python with the packages of the wheel, outside the project's folder; return what it prints."""
    command = [sys.executable, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, cwd=wheel.parent, timeout=150
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_what_is_installed_serves_the_page(wheel: Path) -> None:
    asked = (
        "import console, console.server, alerts.rulebook.documents, fleet.migrate, kerbsafe.cli; "
        "from console.pages import read_pages; "
        "print(console.__file__, read_pages().built, sorted(read_pages().assets)); "
        "kerbsafe.cli.main(['console', 'openapi'])"
    )
    said = run(wheel, "-P", "-c", asked)
    first = said.splitlines()[0]
    assert first.startswith(str(wheel))
    assert "True" in first
    assert "app.js" in first
    assert '"openapi": "3.1.0"' in said


def test_what_is_installed_has_its_naive_peers(wheel: Path) -> None:
    """`kerbsafe bench` runs these programs; each imports all that it needs before it reads its arguments."""
    asked = "from kerbsafe.bench import judging, naive; print(naive.program(judging.PROGRAM))"
    comparison = Path(run(wheel, "-P", "-c", asked).strip())
    assert comparison == wheel / "kerbsafe/bench/peers/bench_fences.py"
    assert "[--all-rules]" in run(wheel, comparison, "--help")
    assert "--dsn DSN" in run(wheel, comparison.with_name("naive_ingest.py"), "--help")


def test_the_sdist_is_the_project_and_the_page(dist: Path, tracked: set[str]) -> None:
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    page = {f"console/web/dist/{path.name}" for path in (WEB / "dist").iterdir()}
    assert names == tracked | page | {"PKG-INFO"}


# ---------------------------------------------------------------- the bundle


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of a library, as pip would have fetched it."""
    folder = tmp_path_factory.mktemp("wheels")
    (folder / "aiohttp-3.14.5-py3-none-any.whl").write_bytes(b"aiohttp")
    return folder


@pytest.fixture(scope="module")
def unpacked(dist: Path, wheels: Path) -> Path:
    """A bundle, unpacked."""
    made = bundle.assemble(dist, wheels, ["aiohttp==3.14.5 --hash=sha256:00"], HERE)
    with tarfile.open(made) as archive:
        archive.extractall(dist / "bundle", filter="data")
    made.unlink()
    return dist / "bundle" / made.name.removesuffix(".tar.gz")


def test_a_bundle_holds_what_an_operator_needs(unpacked: Path, dist: Path, tracked: set[str]) -> None:
    (wheel,) = dist.glob("*.whl")
    version = wheel.name.split("-")[1]
    assert unpacked.name == f"kerbsafe-{version}-{HERE.name}"
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert names == {
        *("install", "requirements.txt", "CHANGELOG.md", "LICENSE", "README.md"),
        *(f"wheels/{name}" for name in ("aiohttp-3.14.5-py3-none-any.whl", wheel.name)),
        *(name for name in tracked if name.startswith(("deploy/", "docs/"))),
    }
    assert "deploy/systemd/kerbsafe-ingest.service" in names
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert (unpacked / "requirements.txt").read_text().splitlines() == [
        f"kerbsafe[demo,report]=={version} --hash=sha256:{digest}",
        "aiohttp==3.14.5 --hash=sha256:00",
    ]
    for name in ("install", "deploy/prepare", "deploy/backup"):
        assert os.access(unpacked / name, os.X_OK), name


def test_a_bundle_is_the_same_each_time(dist: Path, wheels: Path) -> None:
    first = bundle.assemble(dist, wheels, [], HERE).read_bytes()
    made = bundle.assemble(dist, wheels, [], HERE)
    assert made.read_bytes() == first
    made.unlink()


def test_a_bundle_for_another_python_says_so(unpacked: Path, tmp_path: Path) -> None:
    text = (unpacked / "install").read_text().replace(f'"{HERE.python}"', '"3.99"')
    other = tmp_path / "install"
    other.write_text(text)
    command = ["/bin/sh", other, tmp_path / "kerbsafe"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | {"PYTHON": sys.executable}
    )
    assert done.returncode == 1
    assert "install: this bundle is for Python" in done.stderr
    assert not (tmp_path / "kerbsafe").exists()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_bundle_is_installed_without_a_network(tmp_path: Path) -> None:
    """With every wheel, which takes minutes to fetch."""
    unshare, make = program("unshare", "util-linux"), program("make", "make")
    subprocess.run([make, "--silent", "bundle"], check=True, cwd=ROOT)
    (file,) = (ROOT / "dist").glob("kerbsafe-*-linux-*.tar.gz")
    with tarfile.open(file) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    folder = tmp_path / "kerbsafe"
    command = [unshare, "--net", unpacked / "install", folder]
    subprocess.run(command, check=True, env=os.environ | {"PYTHON": sys.executable})
    for words in (["--help"], ["demo", "--help"], ["bench", "engine", "--help"]):
        done = subprocess.run(
            [unshare, "--net", folder / "bin/kerbsafe", *words],
            check=True,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.stdout.startswith("usage: kerbsafe")
