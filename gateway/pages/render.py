"""Turns values into pages: the template environment, and what every page shows.

The owner of Jinja in the gateway. Autoescape is on everywhere, and a value that is missing is an error.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import aiohttp_jinja2
import jinja2
from aiohttp import web

from gateway import keys
from gateway.door import csrf, sessions
from gateway.door.passkey_site import PASSKEY_SITE
from gateway.pages import changing, encodings, flash, speaking, times
from gateway.pages.compiled import Compiled
from gateway.pages.encodings import IDENTITY
from gateway.pages.static_files import StaticFiles
from gateway.picture import guards
from gateway.picture.plain import plain
from gateway.streams import hub_time
from gateway.streams.turns import in_turns

TEMPLATES: Final = Path(__file__).resolve().parent.parent / "templates"
_WRITTEN_SO: Final[dict[str, Any]] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
"""What decides into which code a template is compiled."""
_PACKED_AT_ONCE: Final = 16_384
"""Characters of a page; well under a millisecond's work."""
_NAMES_KEPT: Final = 2048
"""Names that were made plain already: every page says the same ones again."""


def set_up(app: web.Application, files: StaticFiles, compiled: Path | None) -> None:
    """Give the application its templates, kept in the folder `compiled` where one is named. None is read yet."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        bytecode_cache=_Kept(Compiled(compiled)),
        default_helpers=False,
        **_WRITTEN_SO,
    )
    environment.filters.update(
        plain=lru_cache(_NAMES_KEPT)(plain),
        iso=_iso,
        clock=times.clock,
        day=times.day_of,
        full=times.full,
        today=times.today,
        to_second=times.to_second,
    )
    environment.globals.update(static=files.url, say=speaking.write, say_many=speaking.write_many)


async def compile_all(app: web.Application) -> None:
    """Beside the first requests, and not within one: the largest template takes 25 ms where it is not kept."""
    asyncio.get_running_loop().run_in_executor(None, _compile, aiohttp_jinja2.get_env(app))


class _Kept(jinja2.BytecodeCache):
    """Jinja's way to what is kept. It compares the template itself, and for which Python and form of code it was."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Give it what is kept, if anything is."""
        if (code := self.compiled.read(_kept_as(bucket))) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keep it."""
        self.compiled.write(_kept_as(bucket), bucket.bytecode_to_string())


def _kept_as(bucket: jinja2.bccache.Bucket) -> str:
    """Another version of Jinja, or other settings, make other code of the same template."""
    return hashlib.sha256(f"{bucket.key} {_jinja()} {sorted(_WRITTEN_SO.items())}".encode()).hexdigest()


@cache
def _jinja() -> str:
    """Its version, looked up once: the files of all packages are looked through for it."""
    return version("jinja2")


def _compile(environment: jinja2.Environment) -> None:
    for name in environment.list_templates():
        environment.get_template(name)
    assert isinstance(environment.bytecode_cache, _Kept)
    environment.bytecode_cache.compiled.forget_others()


async def page(
    request: web.Request, name: str, *, status: int = 200, packed: bool = False, **values: Any
) -> web.Response:
    """One page, with what the last form left to say.

    `packed`: it may be compressed, since nothing in it is both of a caller's choosing and beside a secret.
    """
    said = await flash.take(request)
    token = await csrf.token(request)
    return await _render(request, name, status, values | {"flash": said, "csrf_token": token}, packed=packed)


async def bare(request: web.Request, name: str, *, status: int, **values: Any) -> web.Response:
    """A page for when something went wrong: it writes nothing into the cookie, which would not be saved any more."""
    token = await csrf.token(request) if sessions.viewer(request) is not None else ""
    return await _render(request, name, status, values | {"flash": None, "csrf_token": token}, packed=False)


async def same_for_all(request: web.Request, name: str) -> web.Response:
    """A page that a browser may keep: it says the same to everyone of a language, and begins no session."""
    return await _render(request, name, 200, {"user": None, "flash": None, "csrf_token": ""}, packed=True)


async def _render(
    request: web.Request, name: str, status: int, values: dict[str, Any], *, packed: bool
) -> web.Response:
    spoken = speaking.begin(request)
    template = aiohttp_jinja2.get_env(request.app).get_template(name)
    pieces = template.generate(_common(request) | {"language": spoken.language} | values)
    encoding = encodings.chosen(request.headers.get("Accept-Encoding")) if packed else IDENTITY
    headers = {"Vary": "Accept-Encoding, Accept-Language" if packed else "Accept-Language"}
    if encoding != IDENTITY:
        headers["Content-Encoding"] = encoding
    body = await _body(pieces, encoding)
    return web.Response(body=body, status=status, content_type="text/html", charset="utf-8", headers=headers)


async def _body(pieces: Iterator[str], encoding: str) -> bytes:
    """Written, and packed, in turns: a large page holds up nobody's command."""
    packer = encodings.packer(encoding) if encoding != IDENTITY else None
    body, written, size = bytearray(), list[str](), 0
    async for piece in in_turns(pieces):
        written.append(piece)
        size += len(piece)
        if packer is not None and size >= _PACKED_AT_ONCE:
            body += packer.compress("".join(written).encode())
            written, size = [], 0
    rest = "".join(written).encode()
    return bytes(body) + (rest if packer is None else packer.compress(rest) + packer.flush())


def _common(request: web.Request) -> dict[str, Any]:
    """What every page shows."""
    config = request.app[keys.CONFIG]
    info, site = sessions.viewer(request), request.app[PASSKEY_SITE].site()
    return {
        "user": info.user if info is not None else None,
        "manages_users": info is not None and guards.may_manage_users(info),
        "owes_factor": info is not None and info.owes_factor,
        "may_lock_down": info is not None and guards.may_lock_down(info),
        "may_end_lockdown": info is not None and guards.may_end_lockdown(info),
        "lockdown": request.app[keys.HOME].lockdown,
        "path": request.path,
        "now": guards.local_now(config.zone),
        "shown_at": hub_time.told().now,
        "timezone": config.timezone,
        "passkey_name": site.name if site is not None else "",
        "demo": config.demo,
        "no_proof": not request.app[keys.PROOF].writable,
        "late": sessions.is_late(request),
        "another_authority_on": changing.reminder(request) if info is not None else None,
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
