"""POST /rooms/{room}/{device}/pending: what waits for a second person is taken back, by form.

Form fields: `id`, what is taken back; `back` ("home" or "room").
"""

from typing import Final

from aiohttp import web

from gateway.desk import taking_back
from gateway.door import sessions
from gateway.pages import acts, faults, flash, places
from gateway.pages.forms import read_form
from shared.words.problem import HomeError

_NOT_OURS: Final = frozenset({"sign-in-required", "unknown-device"})
"""What is answered with a page of its own: there is no page to go back to."""


async def take_back(request: web.Request) -> web.StreamResponse:
    """Have nothing come of it, then go back to where it was shown."""
    sessions.signed_in_owing(request)
    form = await read_form(request)
    room, device = request.match_info["room"], request.match_info["device"]
    name, _ = places.named(request, room, device)
    try:
        await taking_back.take_back(request, room, device, form.text("id"))
    except HomeError as error:
        if error.slug in _NOT_OURS:
            raise
        said = faults.refused(name, error)
    else:
        said = acts.taken_back(name)
    await flash.put(request, said, room=room, device=device)
    raise web.HTTPSeeOther(places.where_from(form.text("back"), room, device))
