"""A demo home in which every page has something to show: for the test of all pages and `python -m tests.pictures`.

Beside the demo's people there are Alex, a master user with an authenticator app, Bo, who is disabled, and for each
language two who have no factor yet; Nora is a guest who may use nothing. Somebody is invited, a token is made, a device
is locked out, one asks for a step-up.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyotp
from playwright.sync_api import StorageState, StorageStateCookie

from deploy.folder.home import Home
from deploy.household import people
from shared.words.languages import LANGUAGES
from shared.words.names import Role
from tests.demo import Client, Demo

PASSWORD: Final = "seven slow winter trains"
_ROLES: Final = {"alex": Role.MASTER, "nora": Role.GUEST}
_OTHERS: Final = (*_ROLES, "bo", *(f"{one}-{language}" for one in ("new", "key") for language in LANGUAGES))
_LIMITS: Final = (
    *("default", "login_code", "login_code_account", "login", "commands", "commands_device", "lockdown_code"),
    *("lockdown", "password", "pages", "reads", "streams"),
)


class VisitedHome:
    """The home, who is signed in to it, and what addresses of pages need to know. `people` may be visitors' roles."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.ids: dict[str, str] = {}
        self._states: dict[str, StorageState] = {}
        self._clients: dict[str, Client] = {}
        self._recovery: list[str] = []
        self._credentials = {role: (one["email"], one["password"]) for role, one in demo.users().items()}

    def cookies(self, who: str) -> StorageState:
        """What a browser has in which they are signed in: "master", "member", "guest", "alex", "new-de"."""
        if who not in self._states:
            self._states[who] = _state(self.client(who))
        return self._states[who]

    def client(self, who: str) -> Client:
        """A program in which they are signed in, until everybody is signed out."""
        if who not in self._clients:
            self._clients[who] = self.demo.client()
            code = self._recovery.pop() if who == "alex" and self._recovery else None
            self._clients[who].sign_in_as(*self._credentials[who], code)
        return self._clients[who]

    def password(self, who: str) -> str:
        """Theirs."""
        return self._credentials[who][1]

    def sign_everybody_out(self) -> None:
        """Whoever comes next signs in anew, as after a lockdown; "ended" still has what was the master user's."""
        self._states = {"ended": self.cookies("master")}
        self._clients.clear()

    def demand_a_factor(self, *, demanded: bool) -> None:
        """Everyone has to have a passkey or an app, as Alex wants it, who shows a recovery code; or not any more."""
        _body(self._proved_alex().call("PUT", "/api/v1/factors/demand", {"demanded": demanded}))

    def confirm_by(self, device: str, **way: object) -> None:
        """A device is confirmed otherwise, as Alex wants it, who shows a recovery code to take a strong way back."""
        _body(self._proved_alex().call("PUT", f"/api/v1/devices/{device}/confirm-by", way))

    def _proved_alex(self) -> Client:
        alex = self.client("alex")
        _body(alex.call("POST", "/api/v1/step-up", {"code": self._recovery.pop()}))
        self._states["alex"] = _state(alex)
        return alex

    def furnish(self) -> None:
        """Whatever pages can show, once after the start."""
        self._credentials |= {name: (f"{name}@home.example", PASSWORD) for name in _OTHERS}
        master, alex = self.client("master"), self.client("alex")
        # The session is older than the app, so that it has shown no strong factor yet: forms ask for one.
        self._recovery = _add_app(alex)
        for row in _body(master.call("GET", "/api/v1/users"))["users"]:
            self.ids[row["user"]["email"].partition("@")[0]] = row["user"]["id"]
        self._at_home(master)
        self._on_paper(master)
        for action in ("on", "off"):
            _body(self.client("member").act("hall/lamp", action))

    def _at_home(self, master: Client) -> None:
        asked = "/api/v1/devices/garage/door/confirm-by"
        _body(master.call("PUT", asked, {"confirm_by": "step-up"}))
        _body(master.call("PUT", "/api/v1/devices/kitchen/kettle/lockout", {"locked_out": True}))
        for device, look in (("hall/lamp", {"favourite": True}), ("kitchen/lamp", {"hidden": True})):
            _body(self.client("alex").call("PATCH", f"/api/v1/me/looks/{device}", look))

    def _on_paper(self, master: Client) -> None:
        password = self.password("master")
        soon = datetime.now(UTC) + timedelta(days=1)
        scope = [{"room": "hall", "device": "lamp", "actions": ["on", "off"]}]
        token = {"current": password, "name": "Panel in the kitchen", "scope": scope, "expires_at": soon.isoformat()}
        _body(master.call("POST", "/api/v1/tokens", token))
        invited = {"current": password, "email": "kim@home.example", "name": "Kim", "role": "member"}
        self.ids["invitation"] = _body(master.call("POST", "/api/v1/invitations", invited))["id"]
        bo = f"/api/v1/users/{self.ids['bo']}"
        _body(master.call("PATCH", bo, {"current": password, "disabled": True}))
        now = datetime.now(UTC)  # it holds whenever the pages are looked at, though not on every day
        days, minute = [(now.weekday() + day) % 7 for day in range(-1, 4)], now.hour * 60 + now.minute
        begins, ends = (minute - 60) % 1440, (minute + 240) % 1440
        hours = {"weekdays": sorted(days), "from_minute": begins, "to_minute": ends, "until": soon.isoformat()}
        grants = [
            {"room": "hall", "device": "lamp"},
            {"room": "hall", "device": "front-door", "actions": ["unlock"], **hours},
        ]
        _body(master.call("PUT", f"/api/v1/users/{self.ids['guest']}/grants", {"grants": grants}))


@contextmanager
def visited_home(var: Path) -> Iterator[VisitedHome]:
    """It runs, and is furnished."""
    demo = Demo(var, warm=True)
    assert demo.command("init", "--demo").returncode == 0
    asyncio.run(_move_in(demo.home))
    demo.lift_limits(*_LIMITS)
    demo.limit("40/hour", "arranging", "invitation")  # for a page that says when to come back
    demo.start()
    try:
        home = VisitedHome(demo)
        home.furnish()
        yield home
    finally:
        demo.stop()


async def _move_in(home: Home) -> None:
    """As `homesystem user add` does it for each of them."""
    for name in _OTHERS:
        role = _ROLES.get(name, Role.MEMBER)
        email = f"{name}@home.example"
        await people.add(home, email=email, name=name.title(), password=PASSWORD, role=role, may=[])


def _add_app(client: Client) -> list[str]:
    """The recovery codes that come with it."""
    begun = _body(client.call("POST", "/api/v1/factors", {"current": PASSWORD, "name": "Phone"}))
    made = _body(client.call("POST", f"/api/v1/factors/{begun['id']}", {"code": pyotp.TOTP(begun["secret"]).now()}))
    return list(made["recovery_codes"])


def _body(answer: Any) -> Any:
    assert answer.status in (200, 201, 204), answer
    return answer.body


def _state(client: Client) -> StorageState:
    held = [
        StorageStateCookie(
            name=one.name,
            value=one.value or "",
            domain="localhost",
            path=one.path,
            expires=one.expires or -1,
            httpOnly=True,
            secure=True,
            sameSite="Lax",
        )
        for one in client.cookies
    ]
    return {"cookies": held, "origins": []}
