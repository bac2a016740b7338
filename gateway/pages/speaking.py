"""In which language a page is said: that of who asks, else the browser's, else the home's (docs/decisions/0050).

Pages say their sentences by `say` and `say_many` of this module, templates by the same names, whose gaps they escape.
"""

from contextvars import ContextVar
from typing import Final

from aiohttp import web
from markupsafe import Markup, escape

from gateway import keys
from gateway.door import sessions
from shared.door.web import Handler
from shared.words.languages import Tongue, accepted, tongue

_SPOKEN: Final[ContextVar[Tongue | None]] = ContextVar("spoken", default=None)
"""What the page under way is said in: the task that makes it is the only one that sees it."""


def begin(request: web.Request) -> Tongue:
    """From now on this request's task speaks the language of who asks."""
    info = sessions.viewer(request)
    chosen = info.user.language if info is not None else None
    wanted = chosen or accepted(request.headers.get("Accept-Language", "")) or request.app[keys.CONFIG].language
    spoken = tongue(wanted)
    speak(spoken)
    return spoken


def speak(spoken: Tongue) -> None:
    """From now on this task speaks that language."""
    _SPOKEN.set(spoken)


def spoken(handler: Handler) -> Handler:
    """A page's handler, which speaks the language of who asks."""

    async def speak(request: web.Request) -> web.StreamResponse:
        begin(request)
        return await handler(request)

    return speak


def now() -> Tongue:
    """The tongue that is spoken here: the page's, else English."""
    return _SPOKEN.get() or tongue()


def say(sentence: str, **gaps: object) -> str:
    """A sentence with its gaps filled, in the page's language."""
    return now().say(sentence, **gaps)


def say_many(one: str, many: str, count: int, **gaps: object) -> str:
    """The sentence for so many, in the page's language; `{count}` is a gap of each."""
    return now().say_many(one, many, count, **gaps)


def write(sentence: str, **gaps: object) -> Markup:
    """`say` for templates: sentence and gaps are escaped, unless a gap is markup of ours."""
    return escape(now().unfilled(sentence)).format(**gaps) if gaps else escape(now().unfilled(sentence))


def write_many(one: str, many: str, count: int, **gaps: object) -> Markup:
    """`say_many` for templates."""
    return escape(now().unfilled_many(one, many, count)).format(count=count, **gaps)
