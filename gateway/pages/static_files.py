"""The files under static/, held in memory and served under an address that holds their content's digest.

Because the digest is a folder of the address (`/static/{digest}/page.js`), modules that import one another by relative
path are of one version, and browsers may keep all of them for a year.
"""

import hashlib
from pathlib import Path
from typing import Final

from aiohttp import web

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


class StaticFiles:
    """All files of a folder; what is not of a known kind is not served."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            p.name: (p.read_bytes(), _KINDS[p.suffix]) for p in sorted(folder.iterdir()) if p.suffix in _KINDS
        }
        digest = hashlib.sha256()
        for name, (content, _) in self._files.items():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        self.version = digest.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of one file."""
        if name not in self._files:
            raise KeyError(f"static/{name} does not exist")
        return f"/static/{self.version}/{name}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET /static/{version}/{name}. A page of an earlier version gets today's file, which it may not keep."""
        found = self._files.get(request.match_info["name"])
        if found is None:
            raise HomeError("not-found")
        content, kind = found
        current = request.match_info["version"] == self.version
        headers = {"Cache-Control": _FOREVER if current else _ASK_AGAIN, "ETag": f'"{self.version}"'}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        charset = None if kind == "image/svg+xml" else "utf-8"
        return web.Response(body=content, content_type=kind, charset=charset, headers=headers)
