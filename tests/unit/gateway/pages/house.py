"""A gateway's pages on fakes, opened in the browser of browser.py."""

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy.folder.home import ROOT
from gateway import keys
from gateway.acting.verdicts import Executed
from gateway.acting.wish import Wish
from gateway.config import GatewayConfig, HttpsConfig
from gateway.desk.phone_keys import PHONE_KEYS, PhoneKeys
from gateway.door import arrival, browsers, closed, cookie, csrf, gate, limits, proxies, routes, sessions
from gateway.door.authority import AUTHORITY
from gateway.door.browsers import Browsers
from gateway.door.limits import Limits
from gateway.door.offering import OFFER, Broker
from gateway.door.passkey_site import PASSKEY_SITE, PasskeySite
from gateway.door.proxies import Proxies
from gateway.door.sessions import Sessions
from gateway.pages.routes import lay_out
from gateway.pages.static_files import StaticFiles
from gateway.picture.guards import Scope
from gateway.picture.home import Home
from shared.broker.mqtt import BrokerConfig
from shared.door.answering import answer
from shared.door.client import AlertsAddress, AuthAddress
from shared.door.web import Handler
from shared.trust import tls
from shared.trust.authority import Authority, Following
from shared.words.internal import (
    Grant,
    LockdownChange,
    LockdownCodeRequest,
    LockdownState,
    LockoutChange,
    LoginAnswer,
    LoginCodeRequest,
    LoginRequest,
    MailPath,
    Registry,
    SessionInfo,
    SessionRow,
    SessionRows,
    UserRow,
    UserRows,
)
from shared.words.internal_account import PasswordChange
from shared.words.internal_alerts import (
    AlertsReady,
    AuditFilter,
    AuditPage,
    AuditRecord,
    ChainStatus,
    Happening,
    MailStatus,
)
from shared.words.internal_factors import (
    Factor,
    FactorBegin,
    FactorBegun,
    FactorConfirm,
    FactorRemove,
    Factors,
    RecoveryAsked,
    RecoveryCodes,
)
from shared.words.internal_grants import GrantsChange
from shared.words.internal_house import HouseKept
from shared.words.internal_looks import LookChange
from shared.words.internal_passkeys import (
    Challenge,
    ChallengeAsked,
    PasskeyBegin,
    PasskeyBegun,
    PasskeyFinish,
    PasskeyLogin,
)
from shared.words.internal_proofs import ConfirmByChange, DemandChange, DemandState, ProofChallengeAsked, ProofShown
from shared.words.internal_tokens import TokenMade, TokenRow, TokenRows, TokenWish
from shared.words.internal_waiting import WaitingDecision, WaitingDevice, WaitingDevices
from shared.words.messages import UserRef, Value
from shared.words.names import ConfirmBy, Role
from shared.words.pending import PendingWish, Press, Pressed
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Form, Page
from tests.unit.gateway.pages.filed import FakeRoom
from tests.unit.gateway.pages.people import FakePeople

ORIGIN = "https://localhost:8443"
HEADERS = {"Host": "localhost:8443", "Origin": ORIGIN, "Accept": "text/html", "User-Agent": "Firefox/130.0 (Android)"}
SECRET = b"k" * 32
CODE = "ABCD-2345"
TOKEN = "hs_" + "a" * 43
PASSWORD = "a long password"
PASSKEY = "aa"
APP_CODE = "123456"
SECRET_KEY = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RECOVERY_CODES = tuple(f"ABCD-EFGH-{n:04}" for n in range(10))
ZONE = ZoneInfo("Europe/Berlin")
"""Of every home here: by its clock pages tell days, and for an hour or two of each day it is another than by UTC."""


class FakeAuth(FakePeople):
    """The auth service: accounts with the password above, and sessions that can be ended."""

    def __init__(self) -> None:
        super().__init__()
        self.code_requests: list[LoginCodeRequest] = []
        self.lockdown_codes: list[LockdownCodeRequest] = []
        self.mail = MailPath(mail="works")
        self.tokens_made: list[TokenWish] = []
        self.token_rows: tuple[TokenRow, ...] = ()
        self.revoked: list[tuple[str, str]] = []
        self.apps: list[Factor] = []
        self.begun: list[FactorBegin] = []
        self.factor_changes: list[str] = []
        self.challenged: list[ChallengeAsked] = []
        self.passkeys_shown: list[PasskeyLogin] = []
        self.entered: list[LoginRequest] = []
        self.proofs: list[ProofShown] = []
        self.demanded = False
        self.asks_for_proof = False
        self.password_changes: list[PasswordChange] = []
        self.grants_changes: list[GrantsChange] = []
        self.refuses: HomeError | None = None
        self.ended: list[tuple[str, str]] = []
        self.over: set[str] = set()
        """Sessions that are listed, and over before they are ended."""
        self.people: list[UserRow] = []
        self.waits: tuple[WaitingDevice, ...] = ()
        self.kept = HouseKept(enrolled=(), people=(), unsigned=None)
        self.accounts: dict[str, SessionInfo] = {}
        self.looked: list[tuple[str, str, Any]] = []
        self.room = FakeRoom()
        self.set_room_file = self.room.take

    async def change_look(self, path: str, wanted: LookChange[Any], *, room: str = "", device: str = "") -> None:
        if self.away:
            raise HomeError("auth-unreachable")
        if self.refuses is not None:
            raise self.refuses
        self.looked.append((path, f"{room}/{device}", wanted.look))
        if device:
            info = self.sessions[wanted.token]
            self.sessions[wanted.token] = parts.favouring(info, room, device, wanted.look)

    async def ask_code(self, request: LoginCodeRequest) -> None:
        if self.away:
            raise HomeError("auth-unreachable")
        self.code_requests.append(request)

    async def mail_path(self) -> MailPath:
        if self.away:
            raise HomeError("auth-unreachable")
        return self.mail

    async def sign_in(self, request: LoginRequest) -> LoginAnswer:
        if request.code != "WRNG-CODE":
            self.entered.append(request)
        info = self.accounts.get(request.email)
        if info is None or request.password != PASSWORD or request.code.upper().replace("-", "") != "ABCD2345":
            raise HomeError("sign-in-failed")
        self.sessions["signed-in"] = info
        return LoginAnswer(token="signed-in", session=info)

    async def ask_lockdown_code(self, request: LockdownCodeRequest) -> None:
        if self.away:
            raise HomeError("auth-unreachable")
        self.lockdown_codes.append(request)

    async def change_password(self, wanted: PasswordChange) -> LoginAnswer:
        if self.away:
            raise HomeError("auth-unreachable")
        if wanted.current != PASSWORD:
            raise HomeError("wrong-password")
        if len(wanted.new) < 8:
            raise HomeError("invalid-value", "The password is too short.", field="new")
        self.password_changes.append(wanted)
        info = msgspec.structs.replace(self.sessions[wanted.token], id="s-after")
        user = info.user.id
        self.sessions = {token: one for token, one in self.sessions.items() if one.user.id != user}
        self.sessions["after"] = info
        return LoginAnswer(token="after", session=info)

    async def change_grants(self, user_id: str, wanted: GrantsChange) -> UserRow:
        if self.away:
            raise HomeError("auth-unreachable")
        if self.refuses is not None:
            raise self.refuses
        row = next(row for row in self.people if row.user.id == user_id)
        if wanted.instead_of is not None and set(wanted.instead_of) != set(row.grants):
            raise HomeError("changed-meanwhile")
        self.grants_changes.append(wanted)
        after = msgspec.structs.replace(row, grants=wanted.grants)
        self.people = [after if one is row else one for one in self.people]
        return after

    async def factors(self, token: str) -> Factors:
        if self.away:
            raise HomeError("auth-unreachable")
        return Factors(factors=tuple(self.apps), recovery_left=10 if self.apps else 0)

    async def begin_factor(self, asked: FactorBegin) -> FactorBegun:
        if asked.current != PASSWORD:
            raise HomeError("wrong-password")
        self.begun.append(asked)
        self.factor_changes.append("begun")
        return FactorBegun(id="f1", secret=SECRET_KEY, uri=f"otpauth://totp/Home%20System:a?secret={SECRET_KEY}")

    async def confirm_factor(self, asked: FactorConfirm) -> RecoveryCodes:
        if asked.code != "123456":
            raise HomeError("confirmation-failed", "This is not the code that the app shows now.")
        first = not self.apps
        name = next((one.name for one in reversed(self.begun) if one.name), "Authenticator app")
        self.factor_changes.append("confirmed")
        self.apps.append(Factor(id=asked.id, name=name, created_at=parts.NOW, used_at=parts.NOW))
        return RecoveryCodes(codes=RECOVERY_CODES if first else ())

    async def remove_factor(self, asked: FactorRemove) -> None:
        if asked.current != PASSWORD:
            raise HomeError("wrong-password")
        self.apps = [one for one in self.apps if one.id != asked.id]
        self.factor_changes.append("removed")

    async def renew_recovery(self, asked: RecoveryAsked) -> RecoveryCodes:
        if asked.current != PASSWORD:
            raise HomeError("wrong-password")
        self.factor_changes.append("recovery")
        return RecoveryCodes(codes=RECOVERY_CODES)

    async def begin_passkey(self, asked: PasskeyBegin) -> PasskeyBegun:
        if asked.current != PASSWORD:
            raise HomeError("wrong-password")
        self.factor_changes.append("begun")
        return PasskeyBegun(id="p1", options={"challenge": "AAAA", "rp": {"id": asked.site.name}})

    async def finish_passkey(self, asked: PasskeyFinish) -> RecoveryCodes:
        first = not self.apps
        self.factor_changes.append("confirmed")
        self.apps.append(Factor(id=asked.id, kind="passkey", name="Laptop", created_at=parts.NOW))
        return RecoveryCodes(codes=RECOVERY_CODES if first else ())

    async def challenge(self, asked: ChallengeAsked) -> Challenge:
        self.challenged.append(asked)
        return Challenge(options={"challenge": "AAAA", "rpId": asked.site.name})

    async def ask_proof(self, asked: ProofChallengeAsked) -> Challenge:
        self.factor_changes.append("challenged")
        return Challenge(options={"challenge": "AAAA", "rpId": asked.site.name})

    async def prove(self, shown: ProofShown) -> LoginAnswer:
        self.proofs.append(shown)
        if shown.credential is None and shown.code != APP_CODE:
            raise HomeError("confirmation-failed", "Type the code that your app shows now.", field="code")
        self.sessions["proved"] = proved = msgspec.structs.replace(
            self.sessions.pop(shown.token), proved_until=datetime.now(UTC) + timedelta(minutes=5)
        )
        return LoginAnswer(token="proved", session=proved)

    async def factor_demand(self) -> DemandState:
        return DemandState(demanded=self.demanded, without=tuple(row.user.id for row in self.people))

    async def demand_factor(self, wanted: DemandChange) -> DemandState:
        self.factor_changes.append(f"demanded {wanted.demanded}")
        if self.sessions[wanted.token].proved_until is None and self.asks_for_proof:
            raise HomeError("step-up-required")
        self.demanded = wanted.demanded
        return await self.factor_demand()

    async def sign_in_by_passkey(self, request: PasskeyLogin) -> LoginAnswer:
        self.passkeys_shown.append(request)
        if request.credential.id != PASSKEY:
            raise HomeError("sign-in-failed")
        info = self.accounts["member@example.org"]
        self.sessions["signed-in"] = info
        return LoginAnswer(token="signed-in", session=info)

    async def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)

    async def list_sessions(self, user_id: str) -> SessionRows:
        if self.away:
            raise HomeError("auth-unreachable")
        found = {info.id: info for info in self.sessions.values() if info.user.id == user_id}
        return SessionRows(
            sessions=tuple(
                SessionRow(
                    id=info.id,
                    user_id=user_id,
                    created_at=parts.NOW,
                    seen_at=parts.NOW,
                    expires_at=parts.NOW + timedelta(days=1),
                    address="192.0.2.7",
                    agent="<script>alert(1)</script> Firefox/130.0 (Android)",
                )
                for info in found.values()
            )
        )

    async def end_session(self, session_id: str, *, user: str, by: str, address: str) -> None:
        if session_id in self.over:
            raise HomeError("not-found")
        self.ended.append((session_id, user))
        self.sessions = {token: info for token, info in self.sessions.items() if info.id != session_id}

    async def make_token(self, wanted: TokenWish) -> TokenMade:
        if self.away:
            raise HomeError("auth-unreachable")
        if wanted.current != PASSWORD:
            raise HomeError("wrong-password")
        row = TokenRow(
            id=f"token-{len(self.tokens_made)}",
            name=wanted.name,
            scope=wanted.scope,
            created_at=parts.NOW,
            expires_at=wanted.expires_at,
            used_at=None,
            used_from="",
        )
        self.tokens_made.append(wanted)
        self.token_rows = (row, *self.token_rows)
        return TokenMade(token=TOKEN, row=row)

    async def tokens(self, user_id: str) -> TokenRows:
        if self.away:
            raise HomeError("auth-unreachable")
        return TokenRows(tokens=self.token_rows)

    async def revoke_token(self, token_id: str, *, user: str, address: str) -> None:
        self.revoked.append((token_id, user))
        self.token_rows = tuple(row for row in self.token_rows if row.id != token_id)

    async def house(self) -> HouseKept:
        if self.away:
            raise HomeError("auth-unreachable")
        return self.kept

    async def waiting(self) -> WaitingDevices:
        if self.away:
            raise HomeError("auth-unreachable")
        return WaitingDevices(waiting=self.waits)

    async def users(self) -> UserRows:
        if self.away:
            raise HomeError("auth-unreachable")
        return UserRows(users=tuple(self.people))


class _AuthPort:
    """What the pages see of it: AuthClient's `sessions` is a call where the fake's is its table."""

    def __init__(self, auth: FakeAuth) -> None:
        self._auth = auth
        self.sessions = auth.list_sessions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._auth, name)


class FakeAlerts:
    """The alert service: the events it has, what it says of its chain, or its absence."""

    def __init__(self) -> None:
        self.events: tuple[AuditRecord, ...] = ()
        self.next: str | None = None
        self.whole: ChainStatus | None = None
        self.away = False
        self.happenings: tuple[Happening, ...] = ()
        self.asked: list[tuple[Scope, AuditFilter, str | None]] = []
        self.around: list[int | None] = []
        self.kinds: list[str] = []
        self.status: MailStatus | None = None

    async def mail(self) -> MailStatus | None:
        return self.status

    async def ready(self) -> AlertsReady:
        if self.away or self.status is None:
            raise HomeError("alerts-unreachable")
        chain = self.whole or ChainStatus(row=0, hash="")
        return AlertsReady(broker=True, recording=True, mail=self.status, chain=chain)

    async def history(
        self,
        scope: Scope,
        wanted: AuditFilter,
        *,
        limit: int,
        after: str | None = None,
        around: int | None = None,
        happenings: str = "none",
    ) -> AuditPage:
        if self.away:
            raise HomeError("alerts-unreachable")
        self.asked.append((scope, wanted, after))
        self.around.append(around)
        self.kinds.append(happenings)
        head = self.events[0].row if self.events else 0
        newest = max((one.number for one in self.happenings), default=0)
        return AuditPage(events=self.events, next=self.next, head=head, happenings=self.happenings, newest=newest)

    async def last(self, places: Iterable[str]) -> tuple[Happening, ...]:
        if self.away:
            raise HomeError("alerts-unreachable")
        return tuple(one for one in self.happenings if one.where in set(places))

    async def chain(self) -> ChainStatus | None:
        return self.whole


class FakeCommands:
    """Takes wishes and answers each as the test says."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.broker_away = False
        self.wishes: list[Wish] = []
        self.answer: HomeError | None = None
        self.known: set[str] = set()

    def knows(self, command_id: str) -> bool:
        return command_id in self.known

    def away(self, room: str) -> str | None:
        if self._home.status(room) == "online":
            return None
        return "broker-unreachable" if self.broker_away else "room-offline"

    async def execute(self, wish: Wish) -> Executed:
        self.wishes.append(wish)
        if self.answer is not None:
            raise self.answer
        return Executed(id=wish.id)


class FakeHub:
    """Remembers whose streams were ended, and whose began anew."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.anew: list[str] = []

    def begin_anew(self, user_ids: Iterable[str]) -> None:
        self.anew += user_ids

    def end_sessions(self, session_ids: Iterable[str]) -> None:
        self.ended += session_ids


class FakeRegistrar:
    """Has lock-outs and lockdowns changed at once, or answers as the test says."""

    def __init__(self, home: Home, auth: FakeAuth) -> None:
        self._home = home
        self._auth = auth
        self.lockdowns: list[LockdownChange] = []
        self.loosened: list[tuple[str, str, WaitingDecision]] = []
        self.asked: list[tuple[str, str, LockoutChange]] = []
        self.decided: list[tuple[str, str, ConfirmByChange]] = []
        self.pressed: list[Press] = []
        self.came_to: Pressed | None = None
        self.taken_back: list[tuple[str, str]] = []
        self.looked: list[tuple[str, str, Any]] = []
        self.answer: HomeError | None = None

    async def change_look(self, path: str, wanted: LookChange[Any], *, room: str = "", device: str = "") -> None:
        self.looked.append((path, f"{room}/{device}", wanted.look))
        if self.answer is not None:
            raise self.answer
        if room:
            self._home.set_room(parts.looked_at(self._home._registered[room], device, wanted.look))

    async def lock_out(self, room: str, device: str, wanted: LockoutChange) -> None:
        self.asked.append((room, device, wanted))
        if self.answer is not None:
            raise self.answer
        entry = self._home._registered[room]
        self._home.set_room(parts.with_lockout(entry, device, locked_out=wanted.locked_out))

    async def confirm_by(self, room: str, device: str, wanted: ConfirmByChange) -> None:
        self.decided.append((room, device, wanted))
        if self.answer is not None:
            raise self.answer
        entry = self._home._registered[room]
        self._home.set_room(parts.confirmed_by(entry, device, wanted.confirm_by, wanted.delay_minutes or 10))

    async def press(self, room: str, device: str, wanted: Press) -> Pressed:
        self.pressed.append(wanted)
        if self.answer is not None:
            raise self.answer
        if self.came_to is not None:
            return self.came_to
        by = self._auth.sessions[wanted.token].user
        before = next((one for one in self._home.pending.of(room, device) if one.action == wanted.action), None)
        wish = PendingWish(
            id=wanted.id,
            room=room,
            device=device,
            action=wanted.action,
            by=UserRef(id=by.id, name=by.name),
            pressed_at=wanted.pressed_at,
            until=wanted.pressed_at + timedelta(minutes=2),
            value=wanted.value,
        )
        if wanted.confirm_by is ConfirmBy.APPOINTMENT:
            due = wanted.pressed_at + timedelta(minutes=10)
            wish = msgspec.structs.replace(wish, due=due, until=due + timedelta(seconds=5))
        elif before is not None and before.by.id != by.id:
            self._home.pending.drop(room, device, before.id)
            self._home.show([(room, device)])
            return Pressed(outcome="agreed", wish=msgspec.structs.replace(wish, id=before.id, by=before.by))
        self._home.show(self._home.pending.add(wish))
        return Pressed(outcome="pending", wish=wish)

    async def take_back(self, room: str, device: str, wish: str, *, by: str, address: str) -> None:
        self.taken_back.append((wish, by))
        if self.answer is not None:
            raise self.answer
        self._home.show(self._home.pending.drop(room, device, wish))

    async def decide(self, room: str, device: str, wanted: WaitingDecision) -> None:
        self.loosened.append((room, device, wanted))
        if self.answer is not None:
            raise self.answer
        self._auth.waits = tuple(one for one in self._auth.waits if (one.room, one.device) != (room, device))

    async def lock_down(self, wanted: LockdownChange) -> LockdownState:
        self.lockdowns.append(wanted)
        if self.answer is not None:
            raise self.answer
        if wanted.active:
            self._auth.sessions.clear()
        at = (self._home.lockdown.at or parts.NOW) + timedelta(seconds=1)
        self._home.set_lockdown(LockdownState(active=wanted.active, at=at))
        return self._home.lockdown


class FakeDisk:
    """The proof, as far as pages ask for it."""

    writable = True


class FakeAuthority:
    """An authority of this home's own, or none."""

    def __init__(self) -> None:
        self.found: Authority | None = Authority(pem="-----BEGIN CERTIFICATE-----\n", fingerprint="AB:CD:EF")
        self.follows: Following | None = None

    def now(self) -> Authority | None:
        return self.found

    def following(self) -> Following | None:
        return self.follows

    def offer_next(self, days: float = 30) -> Following:
        """Have another one follow, in so many days."""
        pem, name = "-----BEGIN CERTIFICATE-----\nnext", "Home System Web CA 2 <hub>"
        changes_at = datetime.now(UTC) + timedelta(days=days)
        self.follows = Following(authority=Authority(pem=pem, fingerprint="01:23:45", name=name), changes_at=changes_at)
        return self.follows


class FakeOffer:
    """What a machine that joins may have; its package is any file."""

    def __init__(self) -> None:
        self.offered = ["Debian 12 arm64"]
        self.nowhere: HomeError | None = None

    def anchor(self) -> bytes:
        return b"-----BEGIN CERTIFICATE-----\n"

    def device_authority(self) -> bytes:
        return b"-----BEGIN CERTIFICATE-----\nof the broker\n"

    def where(self) -> None:
        if self.nowhere is not None:
            raise self.nowhere

    def line(self, room: str, token: str) -> str:
        return f"printf %s {token} | sudo sh join.sh {room}"

    def client_line(self, client: str, token: str) -> str:
        return f"printf %s {token} | sh client.sh {client}"

    def packages(self) -> list[str]:
        return self.offered

    def package(self, _release: str, _architecture: str) -> Path:
        return ROOT / "LICENSE"

    def broker(self) -> Broker:
        return Broker(host="hub.home.arpa", port=8883)


class House:
    """The fakes, and the browser."""

    def __init__(self) -> None:
        self.home = Home()
        self.auth = FakeAuth()
        self.alerts = FakeAlerts()
        self.commands = FakeCommands(self.home)
        self.hub = FakeHub()
        self.registrar = FakeRegistrar(self.home, self.auth)
        self.disk = FakeDisk()
        self.authority = FakeAuthority()
        self.offer = FakeOffer()
        self.browser: TestClient[web.Request, web.Application]

    def put(self, device: str, value: Value, *, room: str = "hall") -> None:
        """A room reports a state."""
        self.home.hear_state(room, device, parts.state(value))

    async def sign_in(self, role: Role, *grants: Grant) -> SessionInfo:
        """Have the browser signed in as somebody."""
        info = parts.session(role, *grants)
        self.auth.sessions[f"token-{role}"] = info
        async with self.browser.get(f"/static/sign-in/{role}") as response:
            assert response.status == 204
        return info

    async def get(self, path: str, **headers: str) -> Page:
        """Open a page; redirects are not followed."""
        async with self.browser.get(path, headers=HEADERS | headers, allow_redirects=False) as response:
            return Page(response, await response.text())

    async def send(self, form: Form, button: str | None = None, **filled: str) -> Page:
        """Send a form, by the button of that value, with fields filled in."""
        fields = form.fields | filled
        if button is not None:
            fields |= {name: value for name, value in form.buttons if value == button}
        async with self.browser.post(form.action, data=fields, headers=HEADERS, allow_redirects=False) as response:
            return Page(response, await response.text())

    async def follow(self, page: Page) -> Page:
        """Go where a form led."""
        assert page.status == 303, (page.status, page.text)
        return await self.get(page.location)


def config() -> GatewayConfig:
    """A configuration; none of its files is read."""
    identity = tls.Identity(ca=Path("ca"), certificate=Path("crt"), key=Path("key"))
    return GatewayConfig(
        https=HttpsConfig(certificate=Path("crt"), key=Path("key"), names=("localhost",), passkey_name="localhost"),
        broker=BrokerConfig(identity="gateway", tls=identity),
        auth=AuthAddress(port=1),
        alerts=AlertsAddress(port=1),
        cookie_key_file=Path("key"),
        spool=Path("nowhere", "spool"),
        timezone=str(ZONE),
    )


@asynccontextmanager
async def open_house(
    registry: Registry = parts.REGISTRY,
    *descriptions: Any,
    furnish: Callable[[web.Application], None] = lambda _app: None,
) -> AsyncIterator[House]:
    """A house whose hall is online and has said nothing of its states yet; `furnish` adds to what its gateway has."""
    house = House()
    house.home.set_registry(registry)
    for description in descriptions or (parts.HALL,):
        house.home.hear_description(description.room, description)
        house.home.hear_availability(description.room, parts.online(), retained=False, now=0.0)
    async with TestClient(TestServer(_application(house, furnish))) as house.browser:
        yield house


def _application(house: House, furnish: Callable[[web.Application], None]) -> web.Application:
    port = cast("Any", _AuthPort(house.auth))
    storage = cookie.storage(SECRET)
    storage.cookie_params["secure"] = False  # the tests' browser speaks plain HTTP, and would keep it to itself
    app = web.Application(
        middlewares=[
            arrival.note,
            _answer_problems,
            gate.enter,
        ]
    )
    app[cookie.STORAGE] = storage
    app[keys.CONFIG] = config()
    app[proxies.PROXIES] = Proxies(app[keys.CONFIG].https.trusted_proxies)
    app[csrf.OWN_ORIGINS] = frozenset({ORIGIN})
    app[closed.MARK] = Path("/nonexistent")
    app[AUTHORITY] = cast("Any", house.authority)
    app[OFFER] = cast("Any", house.offer)
    app[PHONE_KEYS] = PhoneKeys()
    app[PASSKEY_SITE] = PasskeySite(app[keys.CONFIG].https)
    app[csrf.OUTSIDE_ORIGINS] = frozenset()
    app[routes.ROUTE_LIMITS] = {}
    app[routes.BY_TOKEN] = set()
    app[keys.HOME] = house.home
    app[keys.AUTH] = port
    app[keys.ALERTS] = cast("Any", house.alerts)
    app[sessions.SESSIONS] = Sessions(port, link_up=lambda: True)
    app[browsers.BROWSERS] = Browsers(SECRET)
    app[limits.LIMITS] = Limits(app[keys.CONFIG].limits)
    app[keys.COMMANDS] = cast("Any", house.commands)
    app[keys.PROOF] = cast("Any", house.disk)
    app[keys.HUB] = cast("Any", house.hub)
    app[keys.ROOM_FILES] = house.auth.room.files
    app[keys.REGISTRAR] = cast("Any", house.registrar)
    app.router.add_get("/static/sign-in/{role}", _sign_in)
    lay_out(app, _static(), _compiled())
    furnish(app)
    return app


@cache
def _static() -> StaticFiles:
    """All of them, packed once for all houses of this process."""
    return StaticFiles()


@cache
def _compiled() -> Path:
    """Where templates are kept as they were compiled, for all houses of this process: it is half of a house's start."""
    folder = Path(tempfile.mkdtemp(prefix="templates-"))
    atexit.register(shutil.rmtree, folder)
    return folder


@web.middleware
async def _answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """As `look_after`, for requests without a name: two pages that tell the same are the same."""
    try:
        return await handler(request)
    except Exception as error:
        if isinstance(error, web.HTTPException) and error.status < 400:
            raise
        return answer(error)


async def _sign_in(request: web.Request) -> web.Response:
    """The tests' own door."""
    await cookie.renew(request, f"token-{request.match_info['role']}")
    await csrf.token(request)
    return web.Response(status=204)
