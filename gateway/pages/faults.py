"""What was wrong with a form, as its own page says it, or another beside the device: and when to come back."""

from typing import Any, Final, NamedTuple

from aiohttp import web

from gateway.pages import render, speaking, times
from gateway.pages.acts import Said
from gateway.pages.recognizing import Sentences
from gateway.pages.speaking import say
from shared.words.languages import DEFAULT, later
from shared.words.problem import CATALOGUE, HomeError

TOLD: Final = (
    later("A password has 1 to {most} characters."),
    later("The password is too short: use {least} characters or more."),
    later("The password is too long: {most} characters are the most."),
    later("A user's name has 1 to {most} characters."),
    later("Give it a name of 1 to {most} characters."),
    later("Tick what it may, of 1 to {most} devices."),
    later("Choose what it may command and hear: 1 to {most} devices."),
    later("There is no device {place}."),
    later("The name {name} is kept for the hub's own services."),
    later("You have {most} tokens. Revoke one first."),
    later("{most} are the most. Remove one first."),
    later("A guest has {most} grants at the most."),
    later("A name has 1 to {most} characters that can be seen."),
    later("Your own order and hidings name {most} devices at the most."),
    later("A home has {most} devices locked out at the most."),
    later(
        "The name {name} is in use. For its room on another card there is homesystem room renew {name}; "
        "for anything else, choose another one."
    ),
    later(
        "The name {name} is in use. For its client on another machine there is homesystem client renew {name}; "
        "for anything else, choose another one."
    ),
    later(
        "This code has brought its file already. If that was not you, run homesystem client revoke {name} on the hub. "
        "If the file was lost on its way, homesystem client renew with --p12 shows another code."
    ),
    later(
        "This code is over: it works for ten minutes. Run homesystem client {way} {name} --p12 on the hub, which shows "
        "another one."
    ),
    later("The name {name} was revoked, and no name is ever given out twice. Choose another one."),
    later("{name}: write a day such as 2026-11-23, or a moment such as 2026-11-23T20:04:00Z."),
)
"""Details with gaps, wherever they arise: a test finds each of them there."""
_KNOWN: Final = Sentences(TOLD)
_UNSURE: Final = frozenset({"unknown", "interrupted"})


class Fault(NamedTuple):
    """`headers` go with the answer."""

    title: str
    detail: str
    headers: dict[str, str]


async def page(request: web.Request, name: str, error: HomeError | None, **values: Any) -> web.Response:
    """A form's page; after an error with what was wrong (`problem`), beside which `field`, and when to come back."""
    if error is None:
        return await render.page(request, name, problem=None, field=None, **values)
    fault = of(error)
    response = await render.page(request, name, status=error.status, problem=fault, field=field_of(error), **values)
    response.headers.update(fault.headers)
    return response


def field_of(error: HomeError) -> str | None:
    """Beside which field it is said; None where it is about none of them."""
    return "current" if error.slug == "wrong-password" else error.facts.get("field")


def of(error: HomeError) -> Fault:
    """Where it was tried too often, the detail says when to come back, and so does `Retry-After`."""
    if "retry_after" not in error.facts:
        return Fault(say(error.title), detail(error), {})
    headers = {"Retry-After": str(int(error.facts["retry_after"]))}
    text = say("Too many tries for now.")
    return Fault(say(error.title), f"{text} {again(error)}", headers)


def refused(name: str, error: HomeError) -> Said:
    """It was not done, or nobody knows; with the reason and the next step."""
    text = detail(error)
    if "retry_after" in error.facts:
        text = f"{text} {again(error)}"
    return Said("unsure" if error.slug in _UNSURE else "bad", f"{name}: {say(error.title)}", text)


def detail(error: HomeError) -> str:
    """What a problem says of itself, in the page's language; where that is not known there, what to do about it.

    It arose in English, in another service perhaps, so its gaps are found again by the words around them.
    """
    told = say(error.detail)
    if told != error.detail or speaking.now().language == DEFAULT:
        return told
    return _KNOWN.said(error.detail) or say(CATALOGUE[error.slug].advice)


def again(error: HomeError) -> str:
    """When to come back; for a problem that says so."""
    return say("Try again in {wait}.", wait=times.wait(int(error.facts["retry_after"])))
