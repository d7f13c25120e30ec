"""Watching the console in a headless Chromium: frames, alerts as they appear, memory."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kerbsafe.parts import Chromium

WIDTH, HEIGHT = 1280, 800
#: Noted in the page: how long each frame took, whether the map was drawn in it, when each alert was painted.
_WATCH = """
(() => {
  const seen = { frames: [], drawn: [], alerts: {} };
  window.kerbsafeBench = seen;
  let last = 0, drew = false;
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    if (this.canvas.className.includes("sheet-trucks")) drew = true;
    return clear.apply(this, box);
  };
  const frame = (at) => {
    if (last > 0) {
      seen.frames.push(at - last);
      if (drew) seen.drawn.push(at - last);
    }
    drew = false;
    last = at;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes) {
        const id = node.dataset && node.dataset.alert;
        if (!id || id in seen.alerts) continue;
        seen.alerts[id] = 0;
        // Painted by the end of the next frame.
        requestAnimationFrame(() => setTimeout(() => {
          seen.alerts[id] = performance.timeOrigin + performance.now();
        }));
      }
  }).observe(document, { childList: true, subtree: true });
})();
"""


class Memory(NamedTuple):
    """MiB: the page's own heap after a collection, and all that its process holds (None: not known here)."""

    heap_mib: float
    process_mib: float | None


class Watched:
    """A page that is watched."""

    def __init__(self, page: Any, pages_cdp: Any, browsers_cdp: Any) -> None:
        self.page = page
        self._page_cdp = pages_cdp
        self._browser_cdp = browsers_cdp
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, said: Any) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    async def forget(self) -> None:
        """Begin to measure."""
        await self.page.evaluate("() => { kerbsafeBench.frames.length = 0; kerbsafeBench.drawn.length = 0; }")

    async def frames_ms(self) -> tuple[list[float], list[float]]:
        """Return how long every frame took, and those in which the map was drawn."""
        frames = await self.page.evaluate("() => [kerbsafeBench.frames, kerbsafeBench.drawn]")
        return frames[0], frames[1]

    async def alerts_ms(self) -> dict[str, float]:
        """Return when each alert was painted, milliseconds since 1970."""
        seen = await self.page.evaluate("() => kerbsafeBench.alerts")
        return {alert: at for alert, at in seen.items() if at}

    async def memory(self) -> Memory:
        """Collect garbage and return what is left."""
        for _ in range(2):
            await self._page_cdp.send("HeapProfiler.collectGarbage")
            await asyncio.sleep(0.3)
        metrics = (await self._page_cdp.send("Performance.getMetrics"))["metrics"]
        heap = next(metric["value"] for metric in metrics if metric["name"] == "JSHeapUsedSize")
        return Memory(heap / 2**20, await self._process_mib())

    async def _process_mib(self) -> float | None:
        found = (await self._browser_cdp.send("SystemInfo.getProcessInfo"))["processInfo"]
        sizes = [_resident_mib(process["id"]) for process in found if process["type"] == "renderer"]
        known = [size for size in sizes if size is not None]
        return max(known) if known else None

    async def drag(self, seconds: float) -> None:
        """Pull the map about."""
        mouse = self.page.mouse
        deadline_s = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline_s:
            await mouse.move(300, 300)
            await mouse.down()
            await mouse.move(520, 420, steps=25)
            await mouse.move(300, 300, steps=25)
            await mouse.up()


def _resident_mib(process_id: int) -> float | None:
    try:
        pages = int(Path(f"/proc/{process_id}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def require_playwright() -> None:
    """Raise `KerbsafeError` unless there is what drives the browser."""
    if find_spec("playwright") is None:
        raise KerbsafeError(
            "this bench drives a browser with Playwright: `pip install 'kerbsafe[bench]'` or `make setup`"
        )


@asynccontextmanager
async def watching(chromium: Chromium, address: str) -> AsyncIterator[Watched]:
    """Open the console and watch it until the end of the block."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - only benches and tests have it

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.executable, args=[*chromium.arguments, "--enable-precise-memory-info"]
        )
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, locale="zh-CN")
        page_cdp = await page.context.new_cdp_session(page)
        await page_cdp.send("Performance.enable")
        watched = Watched(page, page_cdp, await browser.new_browser_cdp_session())
        await page.add_init_script(_WATCH)
        await page.goto(address)
        try:
            yield watched
        finally:
            await browser.close()
