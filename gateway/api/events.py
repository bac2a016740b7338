"""GET /api/v1/events: what happens in the home, as it happens (server-sent events)."""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.streams.event import AUDIT, Interest
from shared.words.names import is_identity
from shared.words.problem import HomeError

_ROOMS: Final = "rooms"
_SUMS: Final = "sums"
KNOWN: Final = frozenset({_ROOMS, _SUMS, AUDIT})
"""What a stream can be asked for in its query."""


async def stream(request: web.Request) -> web.StreamResponse:
    """Open until the browser, the session or the gateway ends. Events and their shapes: gateway/streams/event.py."""
    info = sessions.signed_in(request)
    token = sessions.token_of(request)
    return await request.app[keys.HUB].stream(request, info, token, interest(request.query))


def interest(query: Mapping[str, str]) -> Interest:
    """What `?rooms=hall,garage&sums&audit` asks for: nothing given is all rooms, `rooms=` none of them.

    Raises bad-request for what names no room, is given twice or does not exist: it would seem to narrow.
    """
    if not set(query) <= KNOWN or len(query) != len(set(query)):
        raise HomeError("bad-request", "A stream takes rooms, sums and audit, each once: ?rooms=hall,garage&audit")
    text = query.get(_ROOMS)
    names = text.split(",") if text else []
    if not all(is_identity(name) for name in names):
        raise HomeError("bad-request", "rooms names rooms by their ids, with commas: rooms=hall,garage")
    rooms = None if text is None else frozenset(names)
    return Interest(rooms=rooms, sums=_is_on(query, _SUMS), record=_is_on(query, AUDIT))


def _is_on(query: Mapping[str, str], name: str) -> bool:
    """`&sums` as people write it, `sums=true` or `sums=false` as generated clients do."""
    match query.get(name, "false").lower():
        case "false":
            return False
        case "" | "true":
            return True
    raise HomeError("bad-request", f"{name}: write it without a value, or true or false.")
