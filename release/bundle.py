"""One file from which Kerbsafe is installed where there is no network: `make bundle`.

It holds the wheel of dist/ (the console's page is in it), wheels of everything that uv.lock names for one
Python and one processor, deploy/ and docs/ of the sdist, and `install`. Linux with glibc 2.28 or newer.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: What the installed Kerbsafe can do beside its duty: the demo, and figures of reports.
EXTRAS = "demo,report"
#: Oldest C library of the wheels: that of Debian 10, Ubuntu 18.10 and openEuler 20.03.
GLIBC = (2, 28)
#: Of the sdist, what an operator needs beside the wheel.
FROM_SDIST = ("deploy/", "docs/", "CHANGELOG.md", "LICENSE", "README.md")
_INSTALL = Path(__file__).with_name("install")


class BundleError(Exception):
    """No bundle can be made; says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """The machine that a bundle is for."""

    python: str
    machine: str

    @property
    def name(self) -> str:
        """As a part of a file's name."""
        return f"linux-{self.machine}-py{self.python.replace('.', '')}"

    @property
    def markers(self) -> dict[str, str]:
        """What requirements ask of a machine."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "platform_python_implementation": "CPython",
            "os_name": "posix",
            "sys_platform": "linux",
            "platform_system": "Linux",
            "platform_machine": self.machine,
        }

    @property
    def tags(self) -> list[str]:
        """Options of pip that say which wheels this machine takes."""
        major, newest = GLIBC
        minors = range(newest, 4, -1)
        platforms = [f"manylinux_{major}_{minor}_{self.machine}" for minor in minors]
        platforms += [f"{old}_{self.machine}" for old in ("manylinux2014", "manylinux2010", "manylinux1")]
        options = ["--implementation", "cp", "--python-version", self.python]
        return [*options, *(word for name in platforms for word in ("--platform", name))]


def for_target(locked: str, target: Target) -> list[str]:
    """Return the requirements of `uv export` that hold on a machine, each with its hashes and no marker."""
    kept = []
    for line in locked.replace("\\\n", " ").splitlines():
        words, *hashes = re.split(r"\s+--hash=", line.strip())
        if not words or words.startswith("#"):
            continue
        wanted = Requirement(words)
        if wanted.marker is None or wanted.marker.evaluate(target.markers):
            kept.append(" ".join([f"{wanted.name}{wanted.specifier}", *(f"--hash={one}" for one in hashes)]))
    return kept


def download(requirements: Iterable[str], target: Target, folder: Path) -> None:
    """Fetch the wheels; those that are not what uv.lock says are refused."""
    listed = folder / "locked.txt"
    listed.write_text("\n".join(requirements), "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes", *target.tags]
    done = subprocess.run([*command, "--requirement", listed, "--dest", folder], check=False)
    listed.unlink()
    if done.returncode:
        raise BundleError(f"not every wheel could be had for {target.name}; pip says above which")


def assemble(dist: Path, wheels: Path, requirements: list[str], target: Target) -> Path:
    """Write the bundle into `dist`, from its wheel and sdist and a folder of wheels; the same each time."""
    wheels_of_ours = sorted(dist.glob("kerbsafe-*.whl"))
    if len(wheels_of_ours) != 1:
        raise BundleError(f"{dist} has {len(wheels_of_ours)} wheels of Kerbsafe, not one: run `make dist`")
    wheel = wheels_of_ours[0]
    version = wheel.name.split("-")[1]
    sdist = dist / f"kerbsafe-{version}.tar.gz"
    name = f"kerbsafe-{version}-{target.name}"
    ours = f"kerbsafe[{EXTRAS}]=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    install = (
        _INSTALL.read_text("utf-8").replace("@PYTHON@", target.python).replace("@MACHINE@", target.machine)
    )
    files: dict[str, tuple[bytes, int]] = {
        "install": (install.replace("@GLIBC@", f"{GLIBC[0]}.{GLIBC[1]}").encode(), 0o755),
        "requirements.txt": ("\n".join([ours, *requirements, ""]).encode(), 0o644),
    }
    for file in [wheel, *sorted(wheels.glob("*.whl"))]:
        files[f"wheels/{file.name}"] = file.read_bytes(), 0o644
    files |= dict(_from_sdist(sdist))
    bundle = dist / f"{name}.tar.gz"
    _write(bundle, name, files, _built_at_s(sdist))
    return bundle


def _from_sdist(sdist: Path) -> Iterator[tuple[str, tuple[bytes, int]]]:
    """Yield what an operator needs; the sdist has no secret of the tree it was made in."""
    with tarfile.open(sdist) as archive:
        for member in archive:
            path = member.name.partition("/")[2]
            if member.isfile() and path.startswith(FROM_SDIST) and (file := archive.extractfile(member)):
                yield path, (file.read(), member.mode & 0o755)


def _built_at_s(sdist: Path) -> int:
    with tarfile.open(sdist) as archive:
        return int(max(member.mtime for member in archive))


def _write(bundle: Path, name: str, files: Mapping[str, tuple[bytes, int]], at_s: int) -> None:
    with (
        bundle.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=at_s, compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path, (content, mode) in sorted(files.items()):
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size, member.mode, member.mtime = len(content), mode, at_s
            archive.addfile(member, io.BytesIO(content))


def main(argv: list[str] | None = None) -> int:
    """Make the bundles of a folder with wheel, sdist and `locked.txt`."""
    here = f"{sys.version_info[0]}.{sys.version_info[1]}/{platform.machine()}"
    parser = argparse.ArgumentParser(prog="make bundle", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--for",
        dest="targets",
        action="append",
        type=_target,
        metavar="PYTHON/MACHINE",
        help=f"such as 3.13/aarch64; again for another bundle (default: {here})",
    )
    parser.add_argument("dist", type=Path, help="folder with what `make dist` has built")
    args = parser.parse_args(argv)
    try:
        for target in args.targets or [_target(here)]:
            bundle = make(args.dist, target)
            print(f"{bundle} ({bundle.stat().st_size >> 20} MiB): unpack it there and run ./install FOLDER")
    except BundleError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 1
    return 0


def make(dist: Path, target: Target) -> Path:
    """Make one bundle in `dist`."""
    requirements = for_target((dist / "locked.txt").read_text("utf-8"), target)
    with tempfile.TemporaryDirectory(prefix="kerbsafe-bundle-") as folder:
        download(requirements, target, Path(folder))
        return assemble(dist, Path(folder), requirements, target)


def _target(text: str) -> Target:
    found = re.fullmatch(r"(3\.\d+)/(x86_64|aarch64)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not like 3.13/x86_64 or 3.13/aarch64")
    return Target(*found.groups())


if __name__ == "__main__":
    sys.exit(main())
