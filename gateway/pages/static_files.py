"""The files under static/, held in memory as they are and packed, under an address that holds their content's digest.

Because the digest is a folder of the address (`/static/{digest}/page.js`), modules that import one another by relative
path are of one version, and browsers may keep all of them for a year.
"""

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from gateway.pages import encodings
from gateway.pages.encodings import IDENTITY
from shared.words.problem import HomeError

FOLDER: Final = Path(__file__).resolve().parent.parent / "static"
_KINDS: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"


class _File(NamedTuple):
    kind: str
    bodies: dict[str, bytes]
    """By encoding; those alone that are smaller than the file as it is."""


class StaticFiles:
    """All files of a folder; what is not of a known kind is not served."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {p.name: _file(p) for p in sorted(folder.iterdir()) if p.suffix in _KINDS}
        digest = hashlib.sha256()
        for name, file in self._files.items():
            content = file.bodies[IDENTITY]
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        self.version = digest.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of one file."""
        if name not in self._files:
            raise KeyError(f"static/{name} does not exist")
        return f"/static/{self.version}/{name}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET /static/{version}/{name}. A page of an earlier version gets today's file, which it may not keep."""
        file = self._files.get(request.match_info["name"])
        if file is None:
            raise HomeError("not-found")
        wanted = encodings.chosen(request.headers.get("Accept-Encoding"))
        encoding = wanted if wanted in file.bodies else IDENTITY
        current = request.match_info["version"] == self.version
        # A tag names one sequence of bytes: that of each encoding is another (RFC 9110, 8.8.3).
        tag = f'"{self.version}"' if encoding == IDENTITY else f'"{self.version}-{encoding}"'
        headers = {"Cache-Control": _FOREVER if current else _ASK_AGAIN, "ETag": tag, "Vary": "Accept-Encoding"}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        if encoding != IDENTITY:
            headers["Content-Encoding"] = encoding
        charset = None if file.kind == "image/svg+xml" else "utf-8"
        return web.Response(body=file.bodies[encoding], content_type=file.kind, charset=charset, headers=headers)

    async def serve_worker(self, _request: web.Request) -> web.StreamResponse:
        """GET /service-worker.js: at the root, for no further than its own folder does a service worker reach."""
        file = self._files["service-worker.js"]
        return web.Response(body=file.bodies[IDENTITY], content_type=file.kind, charset="utf-8")


def _file(path: Path) -> _File:
    content = path.read_bytes()
    packed = {encoding: encodings.packed(content, encoding) for encoding in encodings.KNOWN}
    smaller = {encoding: body for encoding, body in packed.items() if len(body) < len(content)}
    return _File(_KINDS[path.suffix], smaller | {IDENTITY: content})
