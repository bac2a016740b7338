"""A house of two rooms whose whole gateway stands on fakes, and everyone who may call at it, one after the other."""

import functools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from gateway import keys
from gateway.api.routes import add_api
from gateway.config import LimitsConfig
from gateway.door import closed, limits, sessions
from gateway.door.limits import Limits
from gateway.pages.static_files import StaticFiles
from shared.words.internal import Grant, LockdownState, RegisteredRoom, Registry, SessionInfo, UserRow
from shared.words.internal_alerts import MailStatus
from shared.words.internal_readings import ReadingPoint, ReadingsPage, ReadingsQuery
from shared.words.messages import Description
from shared.words.names import Action, Role
from shared.words.scopes import Allowed, TokenUse
from tests.unit.gateway import parts
from tests.unit.gateway.door.authorization import Answer, Rule, Visitor
from tests.unit.gateway.pages.filed import HALL_FILE
from tests.unit.gateway.pages.house import ORIGIN, TOKEN, FakeHub, House, open_house

_GARAGE = Description(room="garage", name="Carport", agent_version="1", devices=(parts.described("gate"),))
_REGISTRY = Registry(
    rooms=(
        parts.HALL_ENTRY,
        RegisteredRoom(id="garage", name="Carport", devices=tuple(parts.registered(d) for d in _GARAGE.devices)),
    )
)
_SECRETS = ("front-door", "Front door")
_OF_THE_HALL = ("Lamp", "hall/lamp")
_OF_THE_GARAGE = ("Carport", "garage/gate")
_ZONE = ZoneInfo("Europe/Berlin")
_NOT_NAMED = "no-such"
_ANSWERS = {
    "sign-in-required": Answer.SIGN_IN,
    "forbidden": Answer.FORBIDDEN,
    "unknown-device": Answer.HIDDEN,
    "not-found": Answer.HIDDEN,
}


_ROLES = {
    Visitor.NOBODY: None,
    Visitor.ENDED: Role.MEMBER,
    Visitor.GUEST_OUTSIDE: Role.GUEST,
    Visitor.GUEST_INSIDE: Role.GUEST,
    Visitor.MEMBER: Role.MEMBER,
    Visitor.MASTER: Role.MASTER,
    Visitor.TOKEN: None,
    Visitor.OTHER_TOKEN: None,
    Visitor.REVOKED_TOKEN: None,
}
_OFTEN = LimitsConfig(**dict.fromkeys(LimitsConfig.__struct_fields__, "100000/minute"))
_ON_OFF = (Action.ON, Action.OFF)
_SCOPES = {
    Visitor.TOKEN: Allowed(room="hall", device="lamp", actions=_ON_OFF),
    Visitor.OTHER_TOKEN: Allowed(room="garage", device="gate", actions=_ON_OFF),
    Visitor.REVOKED_TOKEN: Allowed(room="hall", device="lamp", actions=_ON_OFF),
}


_COUNTING = ("RateLimit", "Date")


class Reply(NamedTuple):
    """What came back: the slug where it was a problem."""

    status: int
    slug: str | None
    text: str
    headers: Mapping[str, str]

    def alike(self, other: "Reply") -> bool:
        """Whether nobody can tell them apart, but that the one came after the other."""
        theirs = {name: text for name, text in other.headers.items() if name not in _COUNTING}
        ours = {name: text for name, text in self.headers.items() if name not in _COUNTING}
        return (self.status, self.text, ours) == (other.status, other.text, theirs)

    @property
    def answer(self) -> Answer | None:
        """Of which kind; None where something other than who asked was in the way."""
        if self.slug is None:  # a page of its own, such as a form that says what was wrong
            return Answer.YES if self.status < 400 else Answer.HIDDEN if self.status == 404 else None
        return _ANSWERS.get(self.slug)


class _Readings:
    """The recorder: it has kept nothing."""

    async def ask(self, query: ReadingsQuery) -> ReadingsPage:
        gap = ReadingPoint(
            at=query.since, seconds=3600, known=0.0, fault=0.0, on=0.0, count=0, min=None, max=None, mean=None
        )
        return ReadingsPage(step=3600, points=(gap,), begun=None)


class _Ready:
    async def now(self) -> bool:
        return True


class _Streams(FakeHub):
    """Open streams, of which each ends with its snapshot: who is signed in, and the rest is the streams' own test."""

    async def stream(self, _request: web.Request, info: SessionInfo, *_: object) -> web.StreamResponse:
        return web.Response(text=info.id)


class Everyone:
    """One house, and who calls at it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.headers: dict[str, str | None] = {}
        self._visits = 1

    async def come_as(self, visitor: Visitor) -> None:
        """A new browser, signed in as that visitor, with the token that changes need."""
        self._as_it_was()
        self.house.browser.session.cookie_jar.clear()
        self.house.auth.sessions.clear()
        self.house.auth.people = [
            UserRow(user=parts.session(role).user, grants=(), created_at=parts.NOW, signed_in_at=None) for role in Role
        ]
        self._visits += 1
        for one in Role:  # everybody has another browser somewhere
            self.house.auth.sessions[f"elsewhere-{one}"] = parts.session(one, number=2 * self._visits)
        self.house.auth.accounts["member@example.org"] = parts.session(Role.MEMBER, number=2 * self._visits + 1)
        self.house.browser.app[sessions.SESSIONS].forget_all()
        if (role := _ROLES[visitor]) is not None:
            signed_in = await self.house.sign_in(role, *_grants(visitor))
            # A gateway remembers for a while which sessions ended: each visit is a session of its own.
            signed_in = msgspec.structs.replace(signed_in, id=f"visit-{self._visits}")
            self.house.auth.sessions[f"token-{role}"] = signed_in
        if visitor in _SCOPES:
            await self._come_by_token(visitor)
            return
        async with self.house.browser.get("/api/v1/csrf", headers={"Host": "localhost:8443"}) as response:
            token = (await response.json())["csrf_token"]
        self.headers = {"Host": "localhost:8443", "Origin": ORIGIN, "X-CSRF-Token": token}
        if visitor is Visitor.ENDED:
            del self.house.auth.sessions[f"token-{role}"]
            self.house.browser.app[sessions.SESSIONS].forget((signed_in.id,))

    async def _come_by_token(self, visitor: Visitor) -> None:
        """A program with a token of the master user's: no cookie, no CSRF token, no page that it came from."""
        info = msgspec.structs.replace(
            parts.session(Role.MASTER),
            id=f"visit-{self._visits}",
            token=TokenUse(name="Panel", scope=(_SCOPES[visitor],)),
        )
        self.headers = {"Host": "localhost:8443", "Authorization": f"Bearer {TOKEN}"}
        if visitor is not Visitor.REVOKED_TOKEN:
            self.house.auth.sessions[TOKEN] = info

    def _as_it_was(self) -> None:
        """Nobody has locked anything out or down, or changed a room's devices."""
        self.house.auth.room.files.hear(HALL_FILE)
        home = self.house.home
        home.set_room(parts.HALL_ENTRY)
        home.pending.set_all((parts.wish("lamp", Action.ON, number="another"),))
        if home.lockdown.active and home.lockdown.at is not None:
            home.set_lockdown(LockdownState(active=False, at=home.lockdown.at + timedelta(seconds=1)))

    async def ask(
        self, rule: Rule, *, method: str = "", path: str = "", headers: Mapping[str, str | None] = MappingProxyType({})
    ) -> Reply:
        """Send the rule's request as who came last; a header that is None stays away."""
        sent = {name: text for name, text in (self.headers | dict(headers)).items() if text is not None}
        path = path or fitted(rule)
        body: dict[str, Any] = {}
        if rule.body is not None:
            body = {"json": rule.body} if rule.path.startswith("/api/") else {"data": _form(rule)}
        query = f"?{rule.query}" if rule.query else ""
        async with self.house.browser.request(
            method or rule.method, path + query, headers=sent, allow_redirects=False, **body
        ) as response:
            text = await response.text(errors="replace")
            is_problem = response.content_type == "application/problem+json"
            slug = msgspec.json.decode(text)["type"].rpartition("/")[2] if is_problem and text else None
            return Reply(response.status, slug, text, response.headers)

    def methods(self, rule: Rule) -> set[str]:
        """Which the rule's address takes."""
        resources = self.house.browser.app.router.resources()
        return {route.method for one in resources if one.canonical == rule.path for route in one}

    def acts(self) -> int:
        """How much was done in this house so far, by anybody."""
        house = self.house
        return (
            len(house.commands.wishes)
            + len(house.registrar.asked)
            + len(house.registrar.lockdowns)
            + len(house.registrar.decided)
            + len(house.registrar.loosened)
            + len(house.registrar.taken_back)
            + len(house.registrar.looked)
            + len(house.auth.looked)
            + len(house.auth.proofs)
            + len(house.auth.ended)
            + len(house.auth.code_requests)
            + len(house.auth.lockdown_codes)
            + len(house.auth.password_changes)
            + len(house.auth.factor_changes)
            + len(house.auth.grants_changes)
            + len(house.auth.tokens_made)
            + len(house.auth.revoked)
            + house.auth.changes_of_people
            + len(house.auth.machines)
            + len(house.auth.windows)
            + len(house.auth.room.set)
        )


def _grants(visitor: Visitor) -> tuple[Grant, ...]:
    """The guest's: on every day at any time, or on a day that is neither today nor one beside it."""
    today = datetime.now(_ZONE).weekday()
    days = {Visitor.GUEST_INSIDE: tuple(range(7)), Visitor.GUEST_OUTSIDE: ((today + 3) % 7,)}
    return (Grant(room="hall", device="lamp", weekdays=days[visitor]),) if visitor in days else ()


def fitted(rule: Rule) -> str:
    """The rule's address, with what there is in this house, and is the guest's."""
    version, name = _static()
    return rule.path.format(
        room="hall",
        device="lamp",
        id="another",
        user="u-guest",
        slug="forbidden",
        version=version,
        name=name,
        release="12",
        architecture="arm64",
    )


@functools.cache
def _static() -> tuple[str, str]:
    version, _, name = StaticFiles().url("home.css").removeprefix("/static/").partition("/")
    return version, name


def hidden_from(visitor: Visitor) -> tuple[str, ...]:
    """What is in this house, and must stand in no answer to them."""
    if visitor in (Visitor.MEMBER, Visitor.MASTER):
        return ()
    if visitor is Visitor.OTHER_TOKEN:
        return (*_SECRETS, *_OF_THE_HALL)
    return (*_SECRETS, *_OF_THE_GARAGE)


def not_theirs(rule: Rule) -> str:
    """The same, of what is in this house and no guest's."""
    room, device = ("hall", "front-door") if "{device}" in rule.path else ("garage", "")
    return rule.path.format(room=room, device=device, id="another")


def not_there(rule: Rule) -> str:
    """The same, of what is in no house."""
    room = "hall" if "{device}" in rule.path else _NOT_NAMED
    return rule.path.format(room=room, device=_NOT_NAMED, id="another")


def _form(rule: Rule) -> dict[str, Any]:
    return dict(rule.body or {}) | {"shown_at": datetime.now(UTC).isoformat()}


def routes_of(app: web.Application) -> list[str]:
    """The route table, without HEAD, which goes wherever GET does."""
    return [
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    ]


_NEVER = Path("/nonexistent")


@asynccontextmanager
async def open_to_everyone(rates: LimitsConfig = _OFTEN, *, mark: Path = _NEVER) -> AsyncIterator[Everyone]:
    """The house, with API and pages; closed while `mark` is there."""
    house: House

    def furnish(app: web.Application) -> None:
        app[keys.READINGS] = cast("Any", _Readings())
        app[keys.HUB] = cast("Any", _Streams())
        app[limits.LIMITS] = Limits(rates)
        app[closed.MARK] = mark
        app.on_response_prepare.append(limits.tell)
        app[keys.READINESS] = cast("Any", _Ready())
        add_api(app)

    async with open_house(_REGISTRY, parts.HALL, _GARAGE, furnish=furnish) as house:
        house.alerts.status = MailStatus(
            letters_waiting=0, letters_refused=0, recipients_known=True, failing_since=None, failure=None
        )
        house.authority.offer_next()
        yield Everyone(house)
