"""HTTPS on aiohttp for every service: serving, problems, request ids, the request log, and who may call what inside.

Internal services require a client certificate and, per route, an allow-listed common name (`allow`).
"""

import asyncio
import contextlib
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from typing import Any, TypeVar

import msgspec
from aiohttp import web, web_response

from shared.door.answering import PACKED_OTHERWISE, UNPACKED, answer, method_of, note_request, place_of
from shared.door.doors import Bounds
from shared.door.entrance import Entrance, Strike, within_files
from shared.door.listening import Hosts, addresses, open_sockets
from shared.running import ids
from shared.running.log import facts, remote, request_id, security
from shared.trust import tls
from shared.trust.revoked import RevocationList
from shared.words import reading
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
S = TypeVar("S", bound=msgspec.Struct)

MAX_BODY_BYTES = 65536
USER = web.RequestKey("user", str)
"""The request's key for the id of the signed-in user, for the request log."""
_JSON_TYPE = "application/json"
_FIELD = re.compile(r" - at `\$\.?([^`]*)`")
_NAMED_FIELD = re.compile(r"Object (?:contains unknown|missing required) field `([^`]{1,64})`")
_JSON = {"Content-Type": _JSON_TYPE, "Cache-Control": "no-store"}
REVOKED = web.AppKey("revoked", RevocationList)
"""Of an internal service: whose certificate is good for nothing any more."""


@contextlib.asynccontextmanager
async def serve_https(
    app: web.Application,
    hosts: Hosts,
    port: int,
    context: ssl.SSLContext,
    *,
    bounds: Bounds = Bounds(),  # noqa: B008 - a frozen value
    trusted: Container[str] = (),
    strike: Strike | None = None,
) -> AsyncIterator[None]:
    """Serve `app` on each address until the block is left, to as many as `bounds` says; `trusted` are proxies.

    Raises ConfigError when a port cannot be taken.
    """
    # What aiohttp answers by itself, to what is no HTTP, would name it and its version (ETSI EN 303 645 5.6-2).
    web_response.SERVER_SOFTWARE = "home"  # type: ignore[attr-defined]  # imported there, not declared public
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, handler_cancellation=True)
    await runner.setup()
    try:
        assert runner.server is not None
        entrance = Entrance(runner.server, context, bounds=within_files(bounds), trusted=trusted, strike=strike)
        async with entrance.open(open_sockets(hosts, port)):
            log.info("Serving", extra=facts(host=" ".join(addresses(hosts)), port=port))
            yield
    finally:
        await runner.cleanup()


@web.middleware
async def look_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost: gives the request its id, turns errors into problem documents, and writes its line, whatever happens.

    Paths only, never queries.
    """
    token, address = request_id.set(ids.short()), remote.set(request.remote)
    started = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
        return response
    except asyncio.CancelledError:
        status = 499  # the client went away first
        raise
    except Exception as error:
        is_refused = not isinstance(error, web.HTTPException) or error.status >= 400
        if not is_refused or has_begun(request):  # of an answer that has begun, nothing is left but to end it
            status = error.status if isinstance(error, web.HTTPException) else status
            raise
        response = answer(error)
        status = response.status
        return response
    finally:
        note_request(
            user=_user(request),
            address=request.remote,
            method=method_of(request),
            path=place_of(request),
            status=status,
            seconds=time.perf_counter() - started,
        )
        request_id.reset(token)
        remote.reset(address)


def _user(request: web.Request) -> str:
    try:  # quicker than `get`, which is as many calls again
        return request[USER]
    except KeyError:
        return "-"


def has_begun(request: web.BaseRequest) -> bool:
    """Whether something of the answer is out."""
    return request.writer.output_size > 0


async def read_json(request: web.Request, kind: type[S]) -> S:
    """The body as `kind`. Raises HomeError: unsupported-media-type, too-large, malformed or invalid-value."""
    # What nearly everybody sends, before a type with blanks or a charset in it is taken apart.
    if request.headers.get("Content-Type") != _JSON_TYPE and request.content_type != _JSON_TYPE:
        raise HomeError("unsupported-media-type")
    # aiohttp unpacks what it knows and hands on anything else as if it had come bare.
    if (coding := request.headers.get("Content-Encoding")) is not None and coding.strip().lower() not in UNPACKED:
        raise HomeError("unsupported-media-type", PACKED_OTHERWISE)
    body = await _body(request)
    try:
        return reading.decode(kind, body)
    except msgspec.ValidationError as error:
        raise HomeError("invalid-value", str(error), **_named(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HomeError("malformed", f"The body is no JSON: {error}") from error


def _named(error: msgspec.ValidationError) -> dict[str, str]:
    """The field that an error is about, where it says so: "grants[0].until"."""
    found = _FIELD.search(str(error))
    inner = _NAMED_FIELD.match(str(error))
    parts = [part for part in (found and found[1], inner and inner[1]) if part]
    return {"field": ".".join(parts)} if parts else {}


async def _body(request: web.Request) -> bytes:
    """The body; one that is all here already, as nearly every one is, without the detours of one that trickles in."""
    content = request.content
    if not content.is_eof() or content.at_eof():
        return await request.read()
    body = content.read_nowait()
    if len(body) > request.client_max_size > 0:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size)
    return body


def json_response(body: Any, status: int = 200) -> web.Response:
    """`body`, a struct or what JSON knows, as JSON that nobody caches."""
    return web.Response(body=msgspec.json.encode(body), status=status, headers=_JSON)


def caller(request: web.Request) -> str | None:
    """The common name of the certificate that the caller showed."""
    return tls.common_name(_certificate(request))


def _certificate(request: web.Request) -> Any:
    transport = request.transport
    return transport.get_extra_info("peercert") if transport is not None else None


def allow(*names: str) -> Callable[[Handler], Handler]:
    """Lets only these certificates call a route; a trailing `*` in a name stands for any ending."""

    def decorate(handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            name = caller(request) or ""
            revoked = request.app.get(REVOKED)
            is_revoked = revoked is not None and revoked.holds(_certificate(request))
            if is_revoked or not any(name == n or (n.endswith("*") and name.startswith(n[:-1])) for n in names):
                security("certificate_refused", caller=name, path=place_of(request))
                raise HomeError("forbidden")
            return await handler(request)

        return guarded

    return decorate


def internal_app() -> web.Application:
    """An application with the house's one layer, for the internal services."""
    return web.Application(middlewares=[look_after], client_max_size=MAX_BODY_BYTES)
