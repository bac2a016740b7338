"""What the auth service's tests share: a clock that is moved by hand, a postman who keeps letters, a known user."""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.people import masters, user_rows
from shared.keeping.database import Store
from shared.mail import Letter, MailError
from shared.words.internal import User
from shared.words.messages import DeviceDescription
from shared.words.names import ACTIONS, SAFE_ACTIONS, Kind, Role
from shared.words.problem import HomeError
from tests.house import DEADLINE

EMAIL = "ada@example.org"
PASSWORD = "violet engine of numbers"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MASTER = Role.MASTER


class Clock:
    """The time, moved by hand."""

    def __init__(self) -> None:
        self.time = START
        self._lived = 0.0

    def __call__(self) -> datetime:
        return self.time

    def steady(self) -> float:
        """The seconds of a clock that nobody sets."""
        return self._lived

    def forward(self, **by: float) -> None:
        """Later by `by`, as timedelta takes it."""
        self.time += timedelta(**by)
        self._lived += timedelta(**by).total_seconds()

    def set(self, **by: float) -> None:
        """Somebody sets it."""
        self.time += timedelta(**by)


class Given:
    """Of which devices each room may speak, as the signer would have it; `fault` is what it says instead."""

    def __init__(self) -> None:
        self.devices: dict[str, tuple[str, ...]] = {}
        self.fault: HomeError | None = None
        self.changes = 0

    async def __call__(self, room: str, devices: tuple[str, ...]) -> None:
        if self.fault is not None:
            raise self.fault
        self.changes += self.devices.get(room) != devices
        self.devices[room] = devices


class Postman:
    """Takes letters, or refuses the next `refusals` of them."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.refusals: list[MailError] = []
        self.tried = asyncio.Event()

    async def __call__(self, letter: Letter) -> None:
        self.tried.set()
        if self.refusals:
            raise self.refusals.pop(0)
        self.letters.append(letter)

    @property
    def code(self) -> str:
        """The code in the last letter, from its own line."""
        return code_in(self.letters[-1].text)


@contextlib.asynccontextmanager
async def disabled_after_the_first_look(
    store: Store, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Whoever is asked for as a master user meanwhile is one at the first look, and none when the change is made."""
    looked, known = asyncio.Event(), masters.known

    async def noticed(
        connection: AsyncConnection, wanted: str, refusal: masters.Refusal, *, lock: bool = False
    ) -> User:
        found = await known(connection, wanted, refusal, lock=lock)
        looked.set()
        return found

    monkeypatch.setattr(masters, "known", noticed)
    async with store.write() as connection:
        await user_rows.disable(connection, user_id, START)
        yield  # the change is begun here, and waits for this transaction
        async with asyncio.timeout(DEADLINE):
            await looked.wait()


def fill(spool: Path) -> None:
    """Let every further append to the spool fail, as on a full disk."""
    with contextlib.closing(sqlite3.connect(spool)) as direct:
        direct.execute(
            "CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )


def code_in(text: str) -> str:
    """The code that stands alone on a line of a letter."""
    found = re.findall(r"^([0-9A-Z]{4}-[0-9A-Z]{4})$", text, re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def described(
    name: str, kind: Kind = Kind.SWITCH, *, critical: bool = False, confirm: bool = False
) -> DeviceDescription:
    """A device as its room describes it, with all that its kind can do."""
    return DeviceDescription(
        id=name,
        name=name.capitalize(),
        kind=kind,
        critical=critical,
        confirm=confirm,
        actions=ACTIONS.get(kind, ()),
        safe_actions=SAFE_ACTIONS.get(kind, ()),
    )
