"""One module a command: `add_parser(commands)` describes it, `run(args)` does it.

The command line finds the modules of this folder by itself; `fix_mode` becomes `fix-mode`. Its first line is
what `kerbsafe --help` says of it, and a module is imported when its command is named.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def names() -> list[str]:
    """Return the names of all commands, in order."""
    return sorted(info.name.replace("_", "-") for info in pkgutil.iter_modules(__path__))


def load(name: str) -> ModuleType:
    """Import the module of a command."""
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def summary(name: str) -> str:
    """Return what the first line of a command's module says of it, without importing the module."""
    path = Path(__file__).with_name(name.replace("-", "_"))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    first, *_ = (ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "").splitlines()
    return first.partition(": ")[2].rstrip(".")
