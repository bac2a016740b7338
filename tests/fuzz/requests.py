"""Requests as bytes: right ones for every route that the three services have, and then everything wrong with them."""

import zlib
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast
from unittest.mock import MagicMock

from aiohttp import web

from alert_service.api import Api
from auth_service.api import make_app
from gateway.api.routes import add_api
from gateway.door import routes
from gateway.pages.routes import add_pages
from tests.fuzz.odd import KINDS, Odd

ROOMS = ("hall", "kitchen", "garage")
PLACES = (
    ("hall", "lamp"),
    ("hall", "front-door"),
    ("hall", "door-contact"),
    ("kitchen", "lamp"),
    ("kitchen", "blind"),
    ("kitchen", "kettle"),
    ("garage", "door"),
    ("garage", "light"),
    ("attic", "lamp"),
)
DEVICES = ("lamp", "front-door", "door-contact", "doorbell", "blind", "kettle", "door", "light")
ACTING = ("/commands", "/rooms/{room}/{device}", "/lockout", "/registry/room/{room}", "/audit")
FREE_HEADERS = (
    "User-Agent",
    "Authorization",
    "X-Forwarded-For",
    "Accept-Language",
    "Range",
    "If-None-Match",
    "Referer",
)
ENDING = ("/logout", "/account/sessions/end", "/users/end-sessions", "/internal/session/end")
"""What ends sessions is asked for without one: a run needs its own."""


class Route(NamedTuple):
    """What a service answers."""

    method: str
    path: str


class Request(NamedTuple):
    """Bytes to send; `whole` unless the other side may wait for more, `head` where no body is answered."""

    sent: bytes
    whole: bool
    head: bool


class Session(NamedTuple):
    """Somebody who is signed in, or nobody."""

    cookie: str = ""
    csrf: str = ""


def routes_of(app: web.Application) -> list[Route]:
    """Everything in a router."""
    found = {Route(r.method, r.resource.canonical) for r in app.router.routes() if r.resource is not None}
    return sorted(found)


def gateway_routes() -> list[Route]:
    """API and pages, as the gateway's wiring adds them."""
    app = web.Application()
    app[routes.ROUTE_LIMITS] = {}
    app[routes.BY_TOKEN] = set()
    add_api(app)
    add_pages(app)
    return routes_of(app)


def auth_routes() -> list[Route]:
    """The auth service's."""
    return routes_of(make_app(*[MagicMock()] * make_app.__code__.co_argcount))


def alerts_routes() -> list[Route]:
    """The alert service's."""
    nothing = cast("Any", None)
    return routes_of(Api(nothing, nothing, nothing, nothing, news=nothing, connected=lambda: True).app())


class Requests:
    """Makes them for one service on `port`; `sessions` are what its callers may be signed in as."""

    def __init__(self, odd: Odd, routes: list[Route], port: int, sessions: list[Session]) -> None:
        self._odd = odd
        self._routes = routes
        self._acting = [route for route in routes if route.path.endswith(ACTING)] or routes
        self._origin = f"https://localhost:{port}"
        self._host = f"localhost:{port}"
        self.sessions = sessions

    def next(self) -> Request:
        """One more."""
        odd, roll = self._odd, self._odd.random
        if roll.random() < 0.02:
            return Request(odd.raw(300) + odd.canary("raw").encode() + b"\r\n\r\n", whole=False, head=False)
        route = roll.choice(self._routes)
        if roll.random() < 0.25:
            route = roll.choice(self._acting)  # what reaches rooms, and the record
        while ("login" in route.path or "lockdown" in route.path) and roll.random() < 0.6:
            route = roll.choice(self._routes)  # their passwords are slow on purpose
        method = (
            route.method
            if roll.random() < 0.9
            else roll.choice(("PUT", "PATCH", "HEAD", "OPTIONS", "G@T", odd.canary("method")))
        )
        body, headers = self._body(route)
        framed, whole = self._framed(body, headers)
        target = self._target(route)
        lines = [f"{method} {target} HTTP/{roll.choice(('1.1',) * 100 + ('1.0', '2.0', '1.11', ''))}"]
        lines += [f"{name}: {value}" for name, value in headers]
        head = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n"
        sent = head + framed
        if roll.random() < 0.15:
            sent, whole = (odd.spoil(head) + framed, False) if roll.random() < 0.7 else (odd.spoil(sent), False)
        elif roll.random() < 0.03:
            sent, whole = sent[: roll.randrange(len(sent))], False
        return Request(sent, whole, head=method == "HEAD")

    def _target(self, route: Route) -> str:
        odd, roll = self._odd, self._odd.random
        path = route.path
        room, device = roll.choice(PLACES)
        while "{" in path:
            before, _, rest = path.partition("{")
            name, _, after = rest.partition("}")
            right = room if name == "room" else device
            path = before + (right if roll.random() < 0.8 else self._segment()) + after
        if roll.random() < 0.05:
            path += roll.choice(("/", "//", "/.", "/%2e%2e", "%00", "%ff", "%zz", ";a=b", "/" + odd.canary("path")))
        if roll.random() < 0.3:
            names = (
                "limit",
                "after",
                "user",
                "room",
                "device",
                "outcome",
                "since",
                "until",
                "format",
                "next",
                "audit",
                "rooms",
                "by",
            )
            fit = ("5", "hall", "2026-03-29T02:30", "csv", "executed", "/", "")
            path += "?" + "&".join(
                f"{roll.choice(names)}={roll.choice(fit) if roll.random() < 0.5 else self._segment()}" for _ in range(3)
            )
        return path if roll.random() < 0.97 else self._origin + path

    def _segment(self, kind: str = "path") -> str:
        odd, roll = self._odd, self._odd.random
        tail = roll.choice(
            ("", "%00", "%ff%fe", "%E2%80%AE", "%2F..", "\u00e9", "a" * 900, "%F0%9F%98%80", "+", "\ud800")
        )
        return odd.canary(kind) + tail

    def _body(self, route: Route) -> tuple[bytes, list[tuple[str, str]]]:
        """A body, and the headers that go with it and around it."""
        odd, roll = self._odd, self._odd.random
        ends = route.path.endswith(ENDING)
        session = roll.choice(self.sessions) if self.sessions and not ends and roll.random() < 0.93 else Session()
        headers = [("Host", self._host if roll.random() < 0.97 else odd.text("header", 0.05))]
        if session.cookie:
            headers.append(("Cookie", session.cookie))
        if roll.random() < 0.08:
            headers.append(("Cookie", f"__Host-session={odd.text('cookie')}; __Host-browser={odd.text('cookie')}"))
        csrf = session.csrf if roll.random() < 0.9 else odd.text("token", 0.1)
        headers.append(("X-CSRF-Token", csrf))
        headers.append(("Origin", self._origin if roll.random() < 0.9 else odd.text("header", 0.05)))
        headers += [(name, odd.text("header", 0.05)) for name in FREE_HEADERS if roll.random() < 0.15]
        if roll.random() < 0.5:
            headers.append(("Accept", roll.choice(("text/html", "application/json", odd.canary("header")))))
        if roll.random() < 0.02:
            headers.append(
                roll.choice((("Expect", "100-continue"), ("Upgrade", "websocket"), ("Expect", odd.canary("header"))))
            )
        if route.method == "GET" and roll.random() < 0.8:
            return b"", headers
        if route.path.startswith(("/api/", "/internal/")) or roll.random() < 0.1:
            headers.append(("Content-Type", "application/json" if roll.random() < 0.9 else odd.text("header", 0.05)))
            text = odd.shape(self._fields()) if roll.random() < 0.8 else odd.json()
        else:
            headers.append(("Content-Type", self._form_type()))
            fields = self._fields() | {"csrf_token": session.csrf}
            text = "&".join(
                f"{name}={right if roll.random() < 0.6 else self._segment(KINDS.get(name, 'path'))}"
                for name, right in fields.items()
            )
        return text.encode("utf-8", "surrogatepass"), headers

    def _form_type(self) -> str:
        roll = self._odd.random.random()
        if roll < 0.8:
            return "application/x-www-form-urlencoded"
        if roll < 0.9:
            return f"application/x-www-form-urlencoded; charset={self._odd.canary('header')}"
        return self._odd.random.choice(
            ("multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=")
        )

    def _fields(self) -> dict[str, Any]:
        odd, roll = self._odd, self._odd.random
        return {
            "email": roll.choice(("ada@example.org", f"{odd.canary('body')}@example.org")),
            "password": odd.canary("body"),
            "code": "ABCD-EFGH",
            "action": roll.choice(("on", "off", "set", "lock", "unlock", "open", "close", "stop", "press")),
            "value": roll.choice((None, 50, 0, 101, "50")),
            "id": odd.canary("id"),
            "confirm": roll.random() < 0.5,
            "locked_out": False,
            "active": False,
            "pressed_at": roll.choice((None, datetime.now(UTC).isoformat(), "2026-11-27T20:00:00Z")),
            "shown_at": roll.choice((datetime.now(UTC).isoformat(), "2026-11-27T20:00:00Z")),
            "browser": odd.canary("body"),
            "address": "192.0.2.7",
            "agent": odd.canary("agent"),
            "token": odd.canary("body"),
            "name": odd.canary("name"),
            "by": odd.canary("body"),
            "devices": [
                {"id": "lamp", "name": odd.canary("name"), "kind": "switch", "critical": False, "actions": ["on"]}
            ],
            "limit": 10,
            "after": None,
            "filter": {"user": odd.canary("body"), "room": "hall"},
            "scope": {"user": odd.canary("body"), "rooms": ["hall"], "places": []},
            "next": "/history",
            "user": odd.canary("body"),
            "room": "hall",
            "device": "lamp",
        }

    def _framed(self, body: bytes, headers: list[tuple[str, str]]) -> tuple[bytes, bool]:
        """The body on the wire, with the headers that say how; whether the other side has all of it."""
        odd, roll = self._odd, self._odd.random
        whole = True
        if body and roll.random() < 0.1:
            coding = roll.choice(("gzip", "deflate", "br", "zstd", "identity", odd.canary("header")))
            headers.append(("Content-Encoding", coding))
            if coding in ("gzip", "deflate") and roll.random() < 0.6:
                packer = zlib.compressobj(wbits=31 if coding == "gzip" else 15)
                body = packer.compress(body) + packer.flush()
                body = body if roll.random() < 0.5 else odd.spoil(body)
        if roll.random() < 0.1:
            headers.append(("Transfer-Encoding", "chunked" if roll.random() < 0.9 else odd.canary("header")))
            cut = roll.randrange(len(body) + 1)
            chunks = [part for part in (body[:cut], body[cut:]) if part]
            framed = b"".join(b"%x%s\r\n%s\r\n" % (len(part), roll.choice((b"", b";a=b")), part) for part in chunks)
            framed += b"0\r\n\r\n"
            return (framed, True) if roll.random() < 0.7 else (odd.spoil(framed), False)
        if body or roll.random() < 0.3:
            length = str(len(body))
            if roll.random() < 0.04:
                whole = False
                length = roll.choice(("-1", "0x10", str(len(body) + 7), "9" * 30, odd.canary("header"), "1, 1"))
            headers.append(("Content-Length", length))
        return body, whole
