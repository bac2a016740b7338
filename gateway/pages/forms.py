"""What a form brought: text fields, each once, none longer than it can mean something (ASVS 5.0 2.2.1, 15.3.7).

A form cannot know when its button was pressed. It says when it was shown (`shown_at`), so that one that lay about, or
waited in a browser's queue, does nothing that nobody wants any more.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from aiohttp import web

from gateway.door.csrf import posted
from shared.words.problem import HomeError

_MOST: Final = 2048
SHOWN_SECONDS: Final = 15 * 60
"""What is older than this is shown anew first."""
_AHEAD_SECONDS: Final = 60
"""Further in the future than this: the hub's clock was set back since, and how old it is cannot be known."""


class Form:
    """The fields of one form."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def names(self) -> Iterator[str]:
        """What its fields are called, in their order."""
        return iter(self._fields)

    def text(self, name: str) -> str:
        """A field as it was typed; empty where it is missing."""
        return self._fields.get(name, "")

    def is_fresh(self) -> bool:
        """Whether it was shown a short while ago; one that does not say so was not."""
        try:
            age = time.time() - datetime.fromisoformat(self.text("shown_at")).timestamp()
        except (ValueError, OverflowError):
            return False
        return -_AHEAD_SECONDS <= age <= SHOWN_SECONDS


async def read_form(request: web.Request) -> Form:
    """The request's form. Raises bad-request for a file, a field given twice, or one far too long."""
    fields: dict[str, str] = {}
    for name, value in (await posted(request)).items():
        if not isinstance(value, str) or name in fields or len(value) > _MOST:
            raise HomeError("bad-request", "A field of the form was sent twice, is too long, or is a file.")
        fields[name] = value
    return Form(fields)
