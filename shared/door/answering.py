"""The one place where whatever went wrong with a request becomes a problem, and a line that quotes nothing of it.

Libraries tell by their own exceptions what they could not read, and often with it what that was: a cookie, a token, a
body. None of that reaches a log or an answer.
"""

import functools
import logging

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError

from shared.running.log import facts, log_apart, request_id
from shared.words.names import IDENTITY
from shared.words.problem import HomeError

log = logging.getLogger(__name__)
requests_log = logging.getLogger("requests")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FROM_STATUS = {
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}

UNPACKED = ("gzip", "deflate", "identity")
"""Content codings of a request's body that are taken apart here."""
PACKED_OTHERWISE = "The body is packed in another way than gzip or deflate: send it as one of these, or as it is."


class TooSlowError(Exception):
    """The body did not come in time."""


CALLERS_OWN = (HttpProcessingError, web.RequestPayloadError, UnicodeError, TooSlowError)
"""What a caller makes libraries raise: a body not encoded as it says, bytes that are no text, none in time."""
_ENDS = (HttpProcessingError, web.RequestPayloadError, TooSlowError)
"""After these nobody knows where the next request begins, so the connection ends; who keeps it for that is told."""


def translate(error: BaseException) -> HomeError:
    """What `error` means to the caller. One that is our own fault is logged, with where it came from."""
    match error:
        case HomeError():
            return error
        case web.HTTPException():
            return from_http(error)
        case TooSlowError():
            return HomeError("too-slow")
        case _ if isinstance(error, CALLERS_OWN):
            # Where from, in case that it is our own fault all the same.
            log.info("Request could not be read", extra=facts(error=type(error).__qualname__, at=_place(error)))
            return HomeError("bad-request")
        case _:
            log.error("Request failed", exc_info=error, extra={"quoting": False})
            return HomeError("internal")


def unread(error: BaseException | None) -> HomeError:
    """What is said of that which aiohttp could not parse."""
    if isinstance(error, ContentEncodingError):
        return HomeError("unsupported-media-type", PACKED_OTHERWISE)
    return HomeError("bad-request")


def from_http(error: web.HTTPException) -> HomeError:
    """aiohttp's own refusals in our words."""
    if error.status == 413:
        return HomeError("too-large")
    problem = HomeError(_FROM_STATUS.get(error.status, "bad-request" if error.status < 500 else "internal"))
    problem.status = error.status
    return problem


def problem_response(error: HomeError) -> web.Response:
    """The RFC 9457 answer to `error`; its instance is the request's id."""
    document = error.document(f"urn:request:{request_id.get() or 'none'}")
    headers = {"Retry-After": str(error.facts["retry_after"])} if "retry_after" in error.facts else None
    return web.Response(
        body=msgspec.json.encode(document),
        status=error.status,
        content_type="application/problem+json",
        headers=headers,
    )


def answer(error: Exception) -> web.Response:
    """The answer to a request that ended in `error`."""
    response = problem_response(translate(error))
    if isinstance(error, web.HTTPException) and "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    if isinstance(error, _ENDS):
        response.force_close()
    return response


def place_of(request: web.Request) -> str:
    """Where a request goes, for logs: its route, filled in with what is shaped like a name of a room or a device.

    What else stands in an address is whatever a caller wrote there, perhaps a secret; "-" where there is no route.
    """
    resource = request.match_info.route.resource
    if resource is None:
        return "-"
    return _filled_in(resource.canonical, tuple(request.match_info.items()))


@functools.lru_cache(maxsize=1024)
def _filled_in(place: str, values: tuple[tuple[str, str], ...]) -> str:
    for name, value in values:
        if IDENTITY.fullmatch(value):
            place = place.replace(f"{{{name}}}", value)
    return place


def method_of(request: web.BaseRequest) -> str:
    """Its method, where it is one."""
    return request.method if request.method in METHODS else "-"


def note_request(*, user: str, address: str | None, method: str, path: str, status: int, seconds: float) -> None:
    """The request's line in the request log."""
    log_apart(
        requests_log,
        logging.WARNING if status >= 400 else logging.INFO,
        "Request",
        user=user,
        address=address or "-",
        method=method,
        path=path,
        status=status,
        seconds=seconds,
    )


def _place(error: BaseException) -> str:
    """The last line of ours that it came through."""
    found, trace = "-", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "site-packages" not in code.co_filename:
            found = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found
