"""That a change was wished on one of our own pages: a token and the origin, both (ASVS 5.0 3.5.1 to 3.5.3).

The token travels in the header `X-CSRF-Token` or the form field `csrf_token` and is compared with the one in the
encrypted cookie; it stands under another mask in each answer, so that pages can be compressed. The browser names the
origin in `Origin` or, where it leaves that out, in `Sec-Fetch-Site`.
"""

import base64
import functools
import hmac
import secrets
from collections.abc import Container, Mapping
from typing import Any, Final

import aiohttp_session
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from shared.words.problem import HomeError

HEADER: Final = "X-CSRF-Token"
FIELD: Final = "csrf_token"
OWN_ORIGINS: Final[web.AppKey[Container[str]]] = web.AppKey("own_origins")
"""The origins that are this home's own."""
OUTSIDE_ORIGINS: Final[web.AppKey[frozenset[str]]] = web.AppKey("outside_origins")
"""Those of them under which a proxy offers us."""
_KEY: Final = "csrf"
_KEPT_LENGTH: Final = 256
"""Of tokens that are remembered; ours have 118 signs at the most."""
_MASK: Final = "m."
"""Before a masked token; no base64url text has a point."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def is_same_origin(
    headers: Mapping[str, str], host: str, own: Container[str], outside: frozenset[str] = frozenset()
) -> bool:
    """Whether the browser says that the request comes from a page of the very origin it goes to, one of `own`.

    Whatever is said must fit; a request that says nothing is refused. Before a proxy the browser's origin is one of
    `outside`, and the Host is whatever the proxy made of it: nginx, as it is installed, names us by our address.
    """
    origin, site = headers.get("Origin"), headers.get("Sec-Fetch-Site")
    if (origin is None and site is None) or site not in (None, "same-origin"):
        return False
    here = f"https://{host}"
    return origin in outside or (here in own and origin in (None, here))


def fits(expected: str | None, given: str | None) -> bool:
    """Whether the token is the one that we gave out, under whichever mask; takes as long whatever differs.

    One without a mask is what an earlier version gave out, and fits as well. A page sends the same with each press: of
    what was compared of late the answer is known to whoever sends the very same again.
    """
    if not expected or not given:
        return False
    return (_known_to_fit if len(given) <= _KEPT_LENGTH else _compare)(expected, given)


def _compare(expected: str, given: str) -> bool:
    return hmac.compare_digest(_bytes(expected), _bytes(unmasked(given)))


_known_to_fit: Final = functools.lru_cache(maxsize=1024)(_compare)
"""Found by a hash over all of both under a secret of this process, which tells nothing letter by letter."""


def masked(token: str) -> str:
    """The token as it stands in one answer: under a pad that is used once, so that no two answers have it in common.

    What is compressed together with text that others supply is told by its length, letter by letter (CVE-2013-3587).
    """
    secret = token.encode()
    pad = secrets.token_bytes(len(secret))
    return _MASK + base64.urlsafe_b64encode(pad + _xor(pad, secret)).decode()


def unmasked(given: str) -> str:
    """What is under the mask; as it is where there is none, or none of ours."""
    if not given.startswith(_MASK):
        return given
    try:
        both = base64.b64decode(given.removeprefix(_MASK), altchars=b"-_", validate=True)
        return _xor(both[: len(both) // 2], both[len(both) // 2 :]).decode()
    except ValueError:
        return given


def origin_of(request: web.Request) -> str:
    """Of which origin of this home's the page is that a change came from; asked of what `protect` let pass."""
    return request.headers.get("Origin") or f"https://{request.host.lower()}"


async def posted(request: web.Request) -> Mapping[str, object]:
    """The fields of the request's form. Raises HomeError("bad-request") for one that cannot be read."""
    try:
        fields = await request.post()
        for field in fields.items():
            "".join(part for part in field if isinstance(part, str)).encode()  # UTF-7 can smuggle in half characters
        return fields
    except (ValueError, LookupError, RuntimeError, HttpProcessingError, web.RequestPayloadError) as error:
        # No boundary, charset or transfer encoding of that name; no UTF-8; broken headers of a part; broken gzip.
        raise HomeError("bad-request", "The form cannot be read: check its type, charset and boundary.") from error


async def token(request: web.Request) -> str:
    """This browser's token, made on first use and kept in its cookie; under a mask of its own each time."""
    session = await aiohttp_session.get_session(request)
    if _KEY not in session:
        session[_KEY] = secrets.token_urlsafe(32)
    return masked(session[_KEY])


async def protect(request: web.Request, app: web.Application, brought: Mapping[str, Any]) -> None:
    """Refuses a change that lacks the token or comes from elsewhere: HomeError("csrf"). Asked of all but SAFE_METHODS.

    `brought` is what was in its cookie. `refusals` counts what is refused by address.
    """
    headers = request.headers
    if not is_same_origin(headers, request.host.lower(), app[OWN_ORIGINS], app[OUTSIDE_ORIGINS]):
        raise HomeError("csrf", "The request did not come from one of this home's own pages.")
    given = headers.get(HEADER)
    if not fits(brought.get(_KEY), given if given is not None else await _in_form(request)):
        raise HomeError("csrf")


async def _in_form(request: web.Request) -> str | None:
    if request.content_type not in _FORMS:
        return None
    field = (await posted(request)).get(FIELD)
    return field if isinstance(field, str) else None


def _xor(one: bytes, other: bytes) -> bytes:
    if len(one) != len(other):
        raise ValueError("a mask is as long as what is under it")
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def _bytes(text: str | None) -> bytes:
    # A header's bytes that are no UTF-8 arrive as surrogates; this also takes those that no byte becomes.
    return (text or "").encode(errors="surrogatepass")
