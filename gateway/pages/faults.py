"""What was wrong with a form, as its own page says it: title and detail, and when to come back."""

from typing import NamedTuple

from gateway.pages import times
from shared.words.problem import HomeError


class Fault(NamedTuple):
    """`headers` go with the answer."""

    title: str
    detail: str
    headers: dict[str, str]


def of(error: HomeError) -> Fault:
    """Where it was tried too often, the detail says when to come back, and so does `Retry-After`."""
    if "retry_after" not in error.facts:
        return Fault(error.title, error.detail, {})
    seconds = int(error.facts["retry_after"])
    detail = f"Too many tries for now. Try again in {times.wait(seconds)}."
    return Fault(error.title, detail, {"Retry-After": str(seconds)})
