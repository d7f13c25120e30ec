"""What of the lock file goes into a bundle: by the machine it is for, not the one it is made on."""

from __future__ import annotations

import pytest

from release.bundle import Target, for_target

LOCKED = """\
aiohttp==3.14.5 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
tomli==2.2.1 ; python_full_version < '3.12' \\
    --hash=sha256:dd
uvloop==0.23.0 ; platform_machine != 'aarch64' and sys_platform != 'win32' \\
    --hash=sha256:ee
"""


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (Target("3.11", "x86_64"), ["aiohttp", "tomli", "uvloop"]),
        (Target("3.12", "x86_64"), ["aiohttp", "uvloop"]),
        (Target("3.13", "aarch64"), ["aiohttp"]),
    ],
)
def test_requirements_are_those_of_the_machine(target: Target, names: list[str]) -> None:
    kept = for_target(LOCKED, target)
    assert [line.partition("==")[0] for line in kept] == names
    assert kept[0] == "aiohttp==3.14.5 --hash=sha256:aa --hash=sha256:bb"
    assert not any(";" in line for line in kept)


def test_wheels_may_be_for_every_c_library_up_to_2_28() -> None:
    tags = Target("3.13", "aarch64").tags
    assert tags[:4] == ["--implementation", "cp", "--python-version", "3.13"]
    assert {"manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(tags)
    assert "manylinux_2_29_aarch64" not in tags
