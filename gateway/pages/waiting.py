"""GET /waiting and POST /waiting/{room}/{device}: what rooms would loosen, and the master user's word about it.

Form fields: `decision` "accept" or "refuse", and `digest`, which names exactly what the page showed.
"""

from typing import Final, NamedTuple, get_args

import msgspec
from aiohttp import web

from gateway.desk import waiting
from gateway.door import sessions
from gateway.pages import acts, flash, places, render
from gateway.pages.acts import Said
from gateway.pages.forms import read_form
from gateway.pages.speaking import say
from shared.words.internal_waiting import Decision, Digest, WouldChange
from shared.words.languages import later
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset({"not-found", "changed-meanwhile", "no-proof", "auth-unreachable"})
_KINDS: Final = {
    "switch": later("a switch"),
    "dimmer": later("a dimmer"),
    "lock": later("a lock"),
    "cover": later("a cover"),
    "pulse": later("a push button that it presses"),
    "contact": later("a contact"),
    "motion": later("a motion sensor"),
    "button": later("a button"),
    "temperature": later("a thermometer"),
    "humidity": later("a hygrometer"),
}


class Line(NamedTuple):
    """One thing that would be less strict: how it would be, and what that means."""

    title: str
    text: str


async def show_waiting(request: web.Request) -> web.StreamResponse:
    """What waits, each with two buttons."""
    rows = await waiting.everything(request)
    listed = [(row, [_line(change) for change in row.changes]) for row in rows]
    return await render.page(request, "waiting.html", waiting=listed)


async def decide(request: web.Request) -> web.StreamResponse:
    """Loosen it or leave it, and back to what still waits."""
    sessions.signed_in(request)
    form = await read_form(request)
    room, device = request.match_info["room"], request.match_info["device"]
    if form.text("decision") not in get_args(Decision):
        raise HomeError("bad-request", "decision is accept or refuse.")
    decision = msgspec.convert(form.text("decision"), Decision)
    try:
        digest = msgspec.convert(form.text("digest"), Digest)
    except msgspec.ValidationError as error:
        raise HomeError("bad-request", "digest is that of the page that showed what waits.") from error
    name, _ = places.named(request, room, device)
    try:
        await waiting.decide(request, room, device, decision=decision, digest=digest)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        said = _refused(error)
    else:
        said = _done(decision, name)
    await flash.put(request, said)
    raise web.HTTPSeeOther("/waiting")


def _done(decision: Decision, name: str) -> Said:
    if decision == "accept":
        return Said("good", say("{name} is as its room describes it now", name=name), say("This is recorded."))
    return Said("good", say("{name} stays as it was", name=name), say("You are not asked about this again."))


def _refused(error: HomeError) -> Said:
    if error.slug == "changed-meanwhile":
        return Said(
            "bad",
            say("The room describes it differently by now: nothing was done"),
            say("Look at what it wants now, and decide about that."),
        )
    if error.slug == "not-found":
        return Said(
            "unsure", say("Nothing waits there any more"), say("Somebody decided it, or the room took it back.")
        )
    return Said("bad", error.title, error.detail)


def _line(change: WouldChange) -> Line:
    match change.field:
        case "kind":
            stands, wanted = (say(_KINDS[kind]) if kind in _KINDS else kind for kind in (change.stands, change.wanted))
            return Line(
                say("It would be {wanted}, and no longer {stands}.", wanted=wanted, stands=stands),
                say("What it may be told to do, and what of that is safe, goes by this."),
            )
        case "critical":
            return Line(
                say("It would no longer be critical."),
                say("What is done to it would not be proven first, and nobody would get a letter about it."),
            )
        case "confirm":
            return Line(
                say("Nobody would be asked any more before it acts."),
                say("One press would be enough, a mistaken one too."),
            )
        case "safe_actions":
            actions = ", ".join(say(acts.label(action)) for action in change.wanted.split())
            return Line(
                say("These would be safe, too: {actions}", actions=actions),
                say("What is safe is not held up by limits, and works while sign-ins cannot be checked."),
            )
        case "return":
            return Line(
                say("It was away for a year or more."),
                say(
                    "Its room has not named it since {day}. It is locked out until you take it back.", day=change.stands
                ),
            )
        case _:
            return Line(change.field, f"{change.stands} → {change.wanted}")
