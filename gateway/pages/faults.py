"""What was wrong with a form, as its own page says it: title and detail, and when to come back."""

from typing import NamedTuple

from gateway.pages import times
from gateway.pages.speaking import say
from shared.words.problem import HomeError


class Fault(NamedTuple):
    """`headers` go with the answer."""

    title: str
    detail: str
    headers: dict[str, str]


def of(error: HomeError) -> Fault:
    """Where it was tried too often, the detail says when to come back, and so does `Retry-After`."""
    if "retry_after" not in error.facts:
        return Fault(say(error.title), detail(error), {})
    headers = {"Retry-After": str(int(error.facts["retry_after"]))}
    text = say("Too many tries for now.")
    return Fault(say(error.title), f"{text} {again(error)}", headers)


def detail(error: HomeError) -> str:
    """What a problem says of itself, in the page's language."""
    return say(error.detail)


def again(error: HomeError) -> str:
    """When to come back; for a problem that says so."""
    return say("Try again in {wait}.", wait=times.wait(int(error.facts["retry_after"])))
