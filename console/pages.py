"""The web page: a few files that are read once at the start, so that no path ever reaches the disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from console.problems import Kind, ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What `make setup` builds from `console/web/src`.
BUILT = Path(__file__).with_name("web") / "dist"
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".txt": "text/plain",
}
#: Endings of the files that the build has compressed, by what `Accept-Encoding` calls it; the best first.
_CODINGS = {"br": ".br", "gzip": ".gz"}
_NOT_BUILT = b"""<!doctype html><meta charset="utf-8"><title>Kerbsafe</title>
<p>The web page is not built. Run <code>make setup</code> and start the console again. The API works.</p>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    body: bytes
    media: str
    tag: str
    #: The same compressed, by the name of the coding; the best first.
    coded: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Pages:
    """The files by name, and whether they are there at all."""

    assets: Mapping[str, Asset]

    @property
    def built(self) -> bool:
        """Whether the page is there."""
        return "index.html" in self.assets

    async def page(self, request: web.Request) -> web.Response:
        """Answer every path of the page with the same document; its script reads the path."""
        return _answer(request, self._document)

    def missing(self) -> web.Response:
        """Answer an address that is none of the page's: the same document, whose script says so."""
        document = self._document
        return web.Response(
            status=404,
            body=document.body,
            content_type=document.media,
            charset="utf-8",
            headers={"Cache-Control": "no-store"},
        )

    @property
    def _document(self) -> Asset:
        return self.assets.get("index.html", _asset("index.html", _NOT_BUILT, {}))

    async def asset(self, request: web.Request) -> web.Response:
        """Answer with a file."""
        found = self.assets.get(request.match_info["name"])
        if found is None:
            raise ProblemError(Kind.NOT_FOUND, "There is no such file.")
        return _answer(request, found)


def read_pages(folder: Path = BUILT) -> Pages:
    """Read the built page; without one, Pages says so in the browser."""
    if not folder.is_dir():
        return Pages({})
    files = (path for path in folder.iterdir() if path.is_file() and path.suffix in _TYPES)
    return Pages({path.name: _asset(path.name, path.read_bytes(), _coded(path)) for path in files})


def _coded(path: Path) -> dict[str, bytes]:
    """Return what the build has made of a file besides."""
    made = {coding: path.with_name(path.name + ending) for coding, ending in _CODINGS.items()}
    return {coding: file.read_bytes() for coding, file in made.items() if file.is_file()}


def _asset(name: str, body: bytes, coded: Mapping[str, bytes]) -> Asset:
    return Asset(body, _TYPES[Path(name).suffix], hashlib.sha256(body).hexdigest()[:32], coded)


def _answer(request: web.Request, asset: Asset) -> web.Response:
    """Answer with a file as the browser takes it; caches may keep it and ask whether it is still that."""
    coding = _best(request.headers.get("Accept-Encoding", ""), asset.coded)
    tag = asset.tag if coding is None else f"{asset.tag}-{coding}"
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if any(known.value == tag for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if coding is not None:
        headers["Content-Encoding"] = coding
    body = asset.body if coding is None else asset.coded[coding]
    return web.Response(body=body, content_type=asset.media, charset="utf-8", headers=headers)


def _best(accepted: str, coded: Mapping[str, bytes]) -> str | None:
    """Return the best coding that `Accept-Encoding` allows (RFC 9110, 12.5.3); None: the file as it is."""
    allowed = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        allowed[name.strip()] = weight.strip().removeprefix("q=").strip() or "1"
    others = allowed.get("*", "0")
    return next((coding for coding in coded if not _is_zero(allowed.get(coding, others))), None)


def _is_zero(weight: str) -> bool:
    return not weight.strip("0.")
