"""What one page says after another page's form was sent, once. It travels in the encrypted cookie, so that nobody
can make this home say "unlocked" by sending somebody a link.
"""

from typing import Any, Final

import aiohttp_session
import msgspec
from aiohttp import web

from gateway.pages.acts import Said

_KEY: Final = "flash"


class Flash(msgspec.Struct, frozen=True, kw_only=True):
    """The saying, and the device beside which it is said; without one it stands on top of the page."""

    tone: str
    title: str
    text: str
    room: str = ""
    device: str = ""


async def put(request: web.Request, said: Said, *, room: str = "", device: str = "") -> None:
    """Have the next page say it."""
    session = await aiohttp_session.get_session(request)
    flash = Flash(tone=said.tone, title=said.title, text=said.text, room=room, device=device)
    session[_KEY] = msgspec.to_builtins(flash)


async def take(request: web.Request) -> Flash | None:
    """What this page has to say, if anything; it is said once."""
    session = await aiohttp_session.get_session(request)
    if _KEY not in session:
        return None
    found: Any = session.pop(_KEY)
    try:
        return msgspec.convert(found, Flash)
    except msgspec.ValidationError:
        return None  # written by another version of ours
