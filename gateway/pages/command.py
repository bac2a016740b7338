"""POST /rooms/{room}/{device}: one command by form. Waits for the room's word; the page that follows says it.

Form fields: `action`, `value` with "set", `back` ("home" or "room"); from the confirmation page `confirm` "true", and
`code` where that asks for a proof; `agrees_to`, the id of what was shown as pending; `shown_at`: what is not safe and
comes from a page of long ago is not sent, and the page is shown anew.
"""

import re
from typing import Final

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.acting.verdicts import Executed
from gateway.desk import asking
from gateway.desk.asking import CommandRequest
from gateway.desk.pressing import Waiting
from gateway.door import sessions
from gateway.pages import acts, confirm, faults, flash, places, proving, times
from gateway.pages.forms import Form, read_form
from gateway.picture import guards
from shared.words.internal import SessionInfo
from shared.words.names import ConfirmBy
from shared.words.problem import HomeError

_NOT_OURS: Final = frozenset({"sign-in-required", "unknown-device", "not-found"})
"""What is answered with a page of its own: there is no page to go back to."""
_TO_CONFIRM: Final = frozenset({"confirmation-required", "step-up-required"})
"""What the page of its own asks for that names exactly what will happen."""
_NO_NUMBER: Final = -1
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


async def send_command(request: web.Request) -> web.StreamResponse:
    """Have a device do something, then go back to where it was asked."""
    info = sessions.signed_in_for_safety(request)
    form = await read_form(request)
    room, device = request.match_info["room"], request.match_info["device"]
    action, value = form.text("action"), _value(form)
    asked = CommandRequest(
        action=action, value=value, confirm=form.text("confirm") == "true", agrees_to=_agrees_to(form)
    )
    name, kind = places.named(request, room, device)
    try:
        if not form.is_fresh() and _could_do_harm(request, info, action):
            asking.count(request)
            said = acts.too_old(name)
        else:
            await _prove(request, form)
            done = await asking.ask(request, room, device, asked)
            said = _said(request, name, kind, asked, done)
    except HomeError as error:
        if error.slug in _NOT_OURS:
            raise
        if error.slug in _TO_CONFIRM:
            raise web.HTTPSeeOther(_confirmation(room, device, form)) from None
        if error.facts.get("field") == "code":
            return await confirm.page(request, _asked(form), error)
        said = faults.refused(name, error)
    await flash.put(request, said, room=room, device=device)
    raise web.HTTPSeeOther(places.where_from(form.text("back"), room, device))


def _said(request: web.Request, name: str, kind: str, asked: CommandRequest, done: Executed | Waiting) -> acts.Said:
    """What to say of it: done, or waiting for a second person or its time."""
    zone = request.app[keys.CONFIG].zone
    if isinstance(done, Waiting) and done.due is not None:
        return acts.appointed(name, times.to_second(done.due, zone))
    if isinstance(done, Waiting):
        return acts.asked(name, times.to_second(done.until, zone))
    return acts.executed(name, kind, asked.action, asked.value, done.state)


def _agrees_to(form: Form) -> str | None:
    """The id of what was shown as pending, if the form is about that. Raises bad-request."""
    text = form.text("agrees_to")
    if text and _ID.fullmatch(text) is None:
        raise HomeError("bad-request", "agrees_to is the id of what is pending.")
    return text or None


async def _prove(request: web.Request, form: Form) -> None:
    """Where the device asks for a proof and a code was typed: take it. Raises confirmation-failed, with `field`."""
    found = request.app[keys.HOME].device(request.match_info["room"], request.match_info["device"])
    asks = found is not None and found.confirm_by is ConfirmBy.STEP_UP and form.text("action") not in found.safe_actions
    if asks:
        await proving.take(request, form)


def _could_do_harm(request: web.Request, info: SessionInfo, action: str) -> bool:
    """Whether the action is one of theirs, and not safe; anything else is answered as if the form were new."""
    room, device = request.match_info["room"], request.match_info["device"]
    found = request.app[keys.HOME].device(room, device)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    return found is not None and guards.may_act(info, room, device, action, now) and action not in found.safe_actions


def _value(form: Form) -> int | None:
    """The number of a "set"; one that is none becomes one that the check refuses."""
    text = form.text("value")
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else _NO_NUMBER


def _confirmation(room: str, device: str, form: Form) -> URL:
    return (URL("/") / "rooms" / room / device / "confirm").with_query(_asked(form))


def _asked(form: Form) -> dict[str, str]:
    return {name: text for name in ("action", "value", "back", "agrees_to") if (text := form.text(name))}
