"""Parts from images, where a Docker daemon is running."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from dataclasses import dataclass, field

from kerbsafe.parts.part import HOST, PartUnavailableError


def require_docker() -> None:
    """Raise `PartUnavailableError` unless a Docker daemon answers."""
    if not shutil.which("docker"):
        raise PartUnavailableError("Docker is not installed")
    probe = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        answered = subprocess.run(probe, check=False, capture_output=True, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        answered = False
    if not answered:
        raise PartUnavailableError("no Docker daemon is running")


@dataclass(frozen=True, slots=True)
class Container:
    """One container, attached to the process that runs it; signals reach it through `docker run`."""

    image: str
    #: (port on loopback, port inside).
    ports: tuple[int, int]
    #: Folders of this machine, mounted under the same name.
    folders: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    name: str = field(default_factory=lambda: f"kerbsafe-{uuid.uuid4().hex[:12]}")

    def command(self, *argv: str) -> tuple[str, ...]:
        """Return the command line that runs the image with `argv`."""
        outside, inside = self.ports
        options = ["--rm", "--init", "--name", self.name, "--publish", f"{HOST}:{outside}:{inside}"]
        for folder in self.folders:
            options += ["--volume", f"{folder}:{folder}"]
        for setting in self.environment:
            options += ["--env", setting]
        return ("docker", "run", *options, self.image, *argv)

    def kill(self) -> None:
        """End it as kill -9 does: that signal does not pass through `docker run`."""
        command = ("docker", "kill", self.name)
        subprocess.run(command, check=False, capture_output=True)
