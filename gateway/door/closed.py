"""While a newer version is tried on the home, nobody changes anything: it might go back to how it was before.

A file says so, which outlives a power cut; whoever finishes the upgrade takes it away. What makes things safer (off,
lock, stop) is obeyed in that time as well: the room tells of it, whatever becomes of the hub's own note.
"""

from pathlib import Path
from typing import Final

from aiohttp import web

from shared.words.problem import HomeError

_AGAIN_SECONDS = 30
MARK: Final[web.AppKey[Path]] = web.AppKey("closed")
_COMMANDS: Final = frozenset({"/api/v1/devices/{room}/{device}/commands", "/rooms/{room}/{device}"})
"""Where a change may be a safe action, which only the handler can tell: it asks `check` for all others."""


def check(app: web.Application) -> None:
    """Raises HomeError("upgrading") while it is so."""
    if app[MARK].exists():
        raise HomeError("upgrading", retry_after=_AGAIN_SECONDS)


def check_request(request: web.Request, *, is_change: bool) -> None:
    """The same for a request that changes something, unless its handler asks. Raises HomeError("upgrading")."""
    if not is_change:
        return
    resource = request.match_info.route.resource
    if resource is None or resource.canonical not in _COMMANDS:
        check(request.app)
