"""GET and POST /account/tokens, POST /account/tokens/revoke: API tokens made, shown once, and revoked.

Of a home of many devices it shows one room at a time (gateway/pages/picking.py).

Form fields of making one: `name`, `days` until it ends, `current` (the password), and one for each thing that it may,
such as "hall/lamp on" or "hall/lamp look". Of revoking: `token`, its id.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from gateway import keys
from gateway.desk import tokens
from gateway.door import sessions
from gateway.pages import acts, faults, flash, picking, proving, times
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from gateway.picture import guards
from gateway.picture.plain import plain
from gateway.picture.views import RoomView
from shared.words.internal_tokens import TokenMade, TokenRow
from shared.words.names import Action
from shared.words.problem import HomeError
from shared.words.scopes import MOST_DEVICES, Allowed

DAYS: Final = (7, 30, 90, 365)
LOOK: Final = "look"
_USUALLY: Final = 90
_MOST_NAME: Final = 64
_MOST_PASSWORD: Final = 1024
_SHOWN_HERE: Final = frozenset(
    {
        "invalid-value",
        "unknown-device",
        "wrong-password",
        "confirmation-failed",
        "rate-limited",
        "auth-unreachable",
        "no-proof",
    }
)


def summary(row: TokenRow, rooms: Iterable[RoomView]) -> str:
    """What one may: "Lamp in Hall: On, Off; Front door in Hall: look"."""
    names = picking.named(rooms)
    parts = []
    for one in row.scope:
        place = f"{one.room}/{one.device}"
        named = plain(names.get(place, place), 100)
        actions = ", ".join(acts.label(action) for action in one.actions) or say("look")
        parts.append(f"{named}: {actions}")
    return "; ".join(parts)


async def show_form(request: web.Request) -> web.StreamResponse:
    """What one would like to be made."""
    sessions.signed_in(request)
    return await _page(request, Form({"days": str(_USUALLY)}))


async def make_token(request: web.Request) -> web.StreamResponse:
    """Make it, and show it this once; or say beside the field what was wrong."""
    sessions.signed_in(request)
    form = await read_form(request)
    if picking.only_looks(form):
        return await _page(request, form)
    try:
        _check(form)
        made = await tokens.make(
            request,
            current=form.text("current"),
            code=proving.code(form),
            name=form.text("name").strip(),
            scope=_scope(form),
            expires_at=datetime.now(UTC) + timedelta(days=int(form.text("days"))),
        )
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, form, error=error)
    return await _page(request, form, made=made)


async def revoke_token(request: web.Request) -> web.StreamResponse:
    """Revoke one, and back to the account."""
    sessions.signed_in_owing(request)
    await tokens.revoke(request, (await read_form(request)).text("token"))
    await flash.put(request, Said("good", say("The token is revoked"), say("Whatever used it is shut out.")))
    raise web.HTTPSeeOther("/account")


def _check(form: Form) -> None:
    """What needs no asking. Raises invalid-value with the field."""
    if not 1 <= len(form.text("name").strip()) <= _MOST_NAME:
        raise HomeError("invalid-value", f"Give it a name of 1 to {_MOST_NAME} characters.", field="name")
    if form.text("days") not in map(str, DAYS):
        raise HomeError("invalid-value", "Choose when it ends.", field="expires_at")
    if not 1 <= len(_scope(form)) <= MOST_DEVICES:
        raise HomeError("invalid-value", f"Tick what it may, of 1 to {MOST_DEVICES} devices.", field="scope")

    if not 1 <= len(form.text("current")) <= _MOST_PASSWORD:
        raise HomeError("invalid-value", "Type the password that you have.", field="current")


def _scope(form: Form) -> tuple[Allowed, ...]:
    """Each device that something is ticked of, in the form's order. Raises invalid-value for what is no action."""
    wanted: dict[tuple[str, str], list[Action]] = {}
    for name in form.names():
        place, _, may = name.partition(" ")
        room, slash, device = place.partition("/")
        if not slash:
            continue
        actions = wanted.setdefault((room, device), [])
        if may != LOOK:
            if may not in Action.__members__.values():
                raise HomeError("invalid-value", "There is no such action.", field="scope")
            actions.append(Action(may))
    return tuple(Allowed(room=room, device=device, actions=tuple(may)) for (room, device), may in wanted.items())


async def _page(
    request: web.Request, form: Form, *, made: TokenMade | None = None, error: HomeError | None = None
) -> web.Response:
    info = sessions.signed_in(request)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    rooms = guards.visible(info, request.app[keys.HOME].rooms(), now)
    return await faults.page(
        request,
        "tokens.html",
        error,
        picks=picking.of(request, rooms, form),
        target=request.path,
        days=[(days, times.date((now + timedelta(days=days)), now)) for days in DAYS],
        form=form,
        label=acts.label,
        made=made,
        may_words=summary(made.row, rooms) if made is not None else "",
        proof=await proving.of_account(request) if made is None else None,
    )
