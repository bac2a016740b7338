"""Turns values into pages: the template environment, and what every page shows.

The owner of Jinja in the gateway. Autoescape is on everywhere, and a value that is missing is an error.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiohttp_jinja2
import jinja2
from aiohttp import web

from gateway import keys
from gateway.door import csrf, sessions
from gateway.pages import flash, times
from gateway.pages.static_files import StaticFiles
from gateway.picture import guards
from gateway.picture.plain import plain
from gateway.streams import hub_time

TEMPLATES: Final = Path(__file__).resolve().parent.parent / "templates"


def set_up(app: web.Application, files: StaticFiles) -> None:
    """Give the application its templates."""
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        default_helpers=False,
    )
    environment.filters.update(plain=plain, iso=_iso, clock=times.clock, full=times.full)
    environment.globals.update(static=files.url)


async def page(request: web.Request, name: str, *, status: int = 200, **values: Any) -> web.Response:
    """One page, with what the last form left to say."""
    said = await flash.take(request)
    token = await csrf.token(request)
    return _render(request, name, status, values | {"flash": said, "csrf_token": token})


async def bare(request: web.Request, name: str, *, status: int, **values: Any) -> web.Response:
    """A page for when something went wrong: it writes nothing into the cookie, which would not be saved any more."""
    token = await csrf.token(request) if sessions.viewer(request) is not None else ""
    return _render(request, name, status, values | {"flash": None, "csrf_token": token})


def _render(request: web.Request, name: str, status: int, values: dict[str, Any]) -> web.Response:
    config = request.app[keys.CONFIG]
    info = sessions.viewer(request)
    common = {
        "user": info.user if info is not None else None,
        "manages_users": info is not None and guards.may_manage_users(info),
        "may_lock_down": info is not None and guards.may_lock_down(info),
        "may_end_lockdown": info is not None and guards.may_end_lockdown(info),
        "lockdown": request.app[keys.HOME].lockdown,
        "path": request.path,
        "now": guards.local_now(config.zone),
        "shown_at": hub_time.told().now,
        "timezone": config.timezone,
        "demo": config.demo,
        "no_proof": not request.app[keys.PROOF].writable,
        "late": sessions.is_late(request),
    }
    return aiohttp_jinja2.render_template(name, request, common | values, status=status)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
