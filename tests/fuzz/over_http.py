"""Fuzzes the three HTTPS ports of a running home: what they answer, whether they live, and what they wrote down."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

from shared.trust import tls
from shared.words.problem import CATALOGUE
from tests.demo import Client, Demo
from tests.fuzz import requests
from tests.fuzz.odd import Odd
from tests.fuzz.report import Report
from tests.fuzz.requests import Request, Requests, Session

WORKERS = 16
_PATIENT_SECONDS = 20.0
_IMPATIENT_SECONDS = 1.0
"""For an answer to what may not be a whole request: the other side waits for the rest of it."""
_RENEW_EVERY = 3000
ROLES = ("master", "member", "guest")


class Answer(NamedTuple):
    """What came back: the status (0 for nothing), the type of the body, the body."""

    status: int
    kind: str = ""
    body: bytes = b""
    head: bool = False


class Line:
    """One connection, made anew whenever the other side hung up."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self._port = port
        self._tls = context
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request) -> Answer:
        """Send, and read one answer; afterwards the connection is clean, or closed."""
        again = self._streams is not None and request.whole
        answer = await self._ask(request)
        # The other side may have hung up behind the last answer, before it saw this request.
        return await self._ask(request) if again and not answer.status else answer

    async def _ask(self, request: Request) -> Answer:
        seconds = _PATIENT_SECONDS if request.whole else _IMPATIENT_SECONDS
        stays = False
        try:
            async with asyncio.timeout(seconds):
                if self._streams is None:
                    self._streams = await asyncio.open_connection("localhost", self._port, ssl=self._tls)
                reader, writer = self._streams
                writer.write(request.sent)
                answer, stays = await _answer(reader, request)
                stays = stays and request.whole
        except (TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            answer = Answer(0)
        if not stays:
            self.close()
        return answer

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _answer(reader: asyncio.StreamReader, request: Request) -> tuple[Answer, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    status, kind = int(first.split()[1]), headers.get("content-type", "").partition(";")[0]
    if status == 100:
        return await _answer(reader, request)
    if request.head or status in (204, 304):
        return Answer(status, kind, head=True), False
    if kind == "text/event-stream" or headers.get("transfer-encoding") == "chunked":
        return Answer(status, kind), False  # its head says enough
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(status, kind, body), headers.get("connection", "keep-alive").lower() != "close"


class Target(NamedTuple):
    """One service, what it is sent, and as whom."""

    name: str
    port: int
    make: Requests
    context: ssl.SSLContext


def is_expected(answer: Answer) -> bool:
    """Anything that is the caller's fault, and of ours only what the catalogue has: a part that is away, or late."""
    if answer.status < 500 or (answer.status == 503 and answer.body == b"not ready\n"):
        return True
    if answer.status in (502, 503, 504) and answer.head:
        return True  # a HEAD's answer has no body to say more
    slug = _slug(answer)
    return slug in CATALOGUE and CATALOGUE[slug].status == answer.status in (502, 503, 504)


def _slug(answer: Answer) -> str:
    try:
        return str(json.loads(answer.body)["type"]).rpartition("/")[2]
    except (ValueError, KeyError, TypeError):
        return "without a problem"


async def _work(target: Target, share: Callable[[], bool], report: Report) -> None:
    line = Line(target.port, target.context)
    while share():
        request = target.make.next()
        answer = await line.ask(request)
        unanswered = "unanswered" if request.whole else "cut off"
        told = f" {_slug(answer)}" if answer.status >= 500 else ""
        report.count(f"{target.name} {answer.status or unanswered}{told}")
        if not is_expected(answer):
            report.fault(f"{target.name} answered {answer.status} {answer.body[:200]!r} to {request.sent[:2000]!r}")
    line.close()


def _sessions(demo: Demo) -> list[Session]:
    made = []
    for role in ROLES:
        client = demo.client(role)
        made.append(session_of(client))
    return made


def session_of(client: Client) -> Session:
    """A signed-in client's, as the header says it."""
    cookie = "; ".join(f"{one.name}={one.value}" for one in client.cookies if one.name == "__Host-session")
    return Session(cookie, client.csrf)


def targets(demo: Demo, seed: int, sessions: list[Session]) -> list[Target]:
    """Gateway as strangers and users, auth and alerts as each other's services and as a room."""
    pki = demo.var / "pki"

    def inner(name: str) -> ssl.SSLContext:
        files = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{name}.crt", key=pki / f"{name}.key")
        return tls.client_context(files)

    ports = demo.ports
    web = ssl.create_default_context(cafile=str(pki / "web-ca.crt"))
    kinds = [("gateway", ports["HTTPS"], requests.gateway_routes(), web, sessions)] * 5
    for who in ("gateway", "gateway", "admin"):
        kinds.append(("auth", ports["AUTH"], requests.auth_routes(), inner(who), []))
    kinds.append(("alerts", ports["ALERTS"], requests.alerts_routes(), inner("gateway"), []))
    return [
        Target(name, port, Requests(Odd(seed * 1000 + number), routes, port, who), context)
        for number, (name, port, routes, context, who) in enumerate(kinds)
    ]


async def run(demo: Demo, count: int, seed: int, report: Report, say: Callable[[str], None]) -> None:
    """Send `count` requests; every few thousand, whoever was signed out is signed in again."""
    sessions = await asyncio.to_thread(_sessions, demo)
    chosen = targets(demo, seed, sessions)
    left, sent, quota, started = count, 0, 0, time.monotonic()

    def share() -> bool:
        nonlocal quota
        quota -= 1
        return quota >= 0

    while left > 0:
        quota = min(left, _RENEW_EVERY)
        left, sent = left - quota, sent + quota
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(_work(chosen[number % len(chosen)], share, report))
        say(f"{sent} requests in {time.monotonic() - started:.0f} s, {report.summary()}")
        if left > 0:
            sessions[:] = await asyncio.to_thread(_renewed, demo, sessions)


def _renewed(demo: Demo, sessions: list[Session]) -> list[Session]:
    made = []
    for role, session in zip(ROLES, sessions, strict=True):
        answer = demo.client().call("GET", "/api/v1/me", headers={"Cookie": session.cookie})
        made.append(session if answer.status == 200 else session_of(demo.client(role)))
    return made
