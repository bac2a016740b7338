"""GET and POST /account/profile: how one is called and spoken to.

Form fields: `name`, `language` (empty: the home's).
"""

from typing import Final

from aiohttp import web

from gateway.desk import people
from gateway.door import sessions
from gateway.pages import faults, flash, speaking
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from shared.words.languages import CALLED, known_language, later, tongue
from shared.words.problem import HomeError

_MOST_NAME: Final = 64
_CHANGED: Final = later("Your account is changed")
_FOLLOW: Final = later("Pages and letters follow at once.")
_SHOWN_HERE: Final = frozenset({"invalid-value", "rate-limited", "auth-unreachable", "no-proof"})


async def show(request: web.Request) -> web.StreamResponse:
    """The form, as it stands."""
    user = sessions.signed_in(request).user
    return await _page(request, Form({"name": user.name, "language": user.language or ""}))


async def change(request: web.Request) -> web.StreamResponse:
    """Change it, and back to the account; or say beside the field what was wrong."""
    sessions.signed_in(request)
    form = await read_form(request)
    try:
        if not 1 <= len(form.text("name").strip()) <= _MOST_NAME:
            raise HomeError("invalid-value", "Type a name of 1 to 64 characters.", field="name")
        language = known_language(form.text("language"))
        if form.text("language") and language is None:
            raise HomeError("invalid-value", "Choose a language.", field="language")
        user = await people.change_profile(request, name=form.text("name"), language=language)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, form, error)
    spoken = tongue(user.language) if user.language is not None else speaking.now()  # as the page that follows
    await flash.put(request, Said("good", spoken.say(_CHANGED), spoken.say(_FOLLOW)))
    raise web.HTTPSeeOther("/account")


async def _page(request: web.Request, form: Form, error: HomeError | None = None) -> web.Response:
    return await faults.page(
        request,
        "profile.html",
        error,
        form=form,
        languages=CALLED,
    )
