"""Six hours without a mail server, and what comes home afterwards; the outbox runs as it does in the service."""

import asyncio
import contextlib
import re
import zoneinfo
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from alert_service.chain.arrivals import Arrival
from alert_service.letters import carrier, gathering, mailbox
from alert_service.letters import outbox as outbox_module
from alert_service.letters.outbox import Further, Manner, Outbox
from alert_service.record import records
from alert_service.store import open_store
from alert_service.tables import events
from shared.keeping.database import Store
from shared.mail import Letter
from shared.words.internal_recipients import Recipient
from shared.words.messages import AuditEvent, UserRef
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.letters import simulated
from tests.unit.alert_service.parts import ADA, HOUSE, Postman, event

HOURS = 6
ALONE, PER_MINUTE = 20, 30
MANNER = Manner(zone=zoneinfo.ZoneInfo("Europe/Berlin"), per_minute=PER_MINUTE, alone=ALONE)
MASTER, MEMBER = "ada@example.org", "bob@example.org"
BOB, GUEST = UserRef(id="u2", name="Bob"), UserRef(id="u9", name="Guest")
PEOPLE = (Recipient(id="u1", email=MASTER, master=True), Recipient(id="u2", email=MEMBER, master=False))
_ROW = re.compile(r"\brow (\d+)")
_MORE = re.compile(r"^And (\d+) more", re.MULTILINE)


class Timed(Postman):
    """A postman that notes when each letter came."""

    def __init__(self, name: str = "mail") -> None:
        super().__init__(name)
        self.came: list[tuple[float, Letter]] = []

    async def send(self, letter: Letter) -> None:
        await super().send(letter)
        self.came.append((simulated.now(), letter))


class Told(NamedTuple):
    """Letters to one person, as far as this test looks: those alone, and the digests."""

    alone: list[Letter]
    digests: list[Letter]


def told(postman: Timed, to: str) -> Told:
    mine = [letter for letter in postman.letters if letter.to == to]
    digests = [letter for letter in mine if "alerts from" in letter.subject]
    return Told([letter for letter in mine if letter not in digests], digests)


@contextlib.asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[None]:
    task = asyncio.create_task(outbox.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled(), task.exception()


async def with_store(folder: Path, main: Callable[[Store], Awaitable[None]]) -> None:
    store = await open_store(f"sqlite+aiosqlite:///{folder}/alerts.sqlite3")
    try:
        await main(store)
    finally:
        await store.close()


async def record(store: Store, outbox: Outbox, *arrived: tuple[str, AuditEvent]) -> None:
    async with store.write() as connection:
        await records.record(connection, [Arrival(*one) for one in arrived], simulated.now(), HOUSE)
    outbox.wake()


def command(number: int) -> list[tuple[str, AuditEvent]]:
    """A critical command by one of three people on one of three devices: done, refused, or never heard of again."""
    user, place = (ADA, BOB, GUEST)[number % 3], ("hall/front-door", "garage/door", "hall/safe")[number % 3]

    def said(outcome: Outcome) -> AuditEvent:
        return event(user=user, where=place, command_id=f"c{number}", at=simulated.now(), outcome=outcome)

    if number % 5 == 4:
        return [("gateway", said(Outcome.ASKED))]
    ended = Outcome.REJECTED if number % 5 == 3 else Outcome.EXECUTED
    return [("gateway", said(Outcome.ASKED)), (place.partition("/")[0], said(ended))]


def attack(source: str, what: str, where: str, **more: Any) -> tuple[str, AuditEvent]:
    known = {"severity": Severity.SECURITY, "outcome": Outcome.REJECTED, "command_id": None, "at": simulated.now()}
    return source, event(what=what, where=where, **known | more)


def others(number: int) -> list[tuple[str, AuditEvent]]:
    """Attacks: a guest who repeats ids, a room that claims other people's names, failed sign-ins."""
    reused = {"reason": "id-reused"}
    made = [
        attack("gateway", "device:unlock", "hall/front-door", user=GUEST, command_id=f"r{number}", detail=reused),
        attack("hall", "device:command", "hall/lamp", issuer="phone"),
        attack("hall", "device:unlock", "garage/door", severity=Severity.CRITICAL, outcome=Outcome.EXECUTED),
    ]
    if number % 5 == 1 and number > 1:
        made.append(attack("auth", "account:sign-in-failed", "user/u2", user=None, detail={"user": "Bob"}))
    return made


async def outage(store: Store, outbox: Outbox) -> int:
    """Five hundred events in six hours; how many they were."""
    count = 0
    for step in range(100):
        arrived = [*command(step), *others(step)]
        if step == 30:
            arrived.append(("auth", event(what="home:locked-down", where="home", command_id=None, at=simulated.now())))
        count += len(arrived)
        await record(store, outbox, *arrived)
        await asyncio.sleep(HOURS * 3600 / 100)
    return count


async def tales(store: Store) -> dict[str, list[set[int]]]:
    """For each source the rows of each letter that was called for; a command's two rows are one tale."""
    async with store.read() as connection:
        found = (await connection.execute(mailbox.told_columns())).all()
    made: dict[str, list[set[int]]] = {}
    for one in found:
        if one.kind not in gathering.KINDS:
            made.setdefault(one.source, []).append({row for row in (one.intent, one.outcome) if row is not None})
    return made


async def done(store: Store) -> set[int]:
    """The rows of critical actions that were or may have been carried out."""
    grave = events.c.severity == "critical", events.c.outcome.in_(("executed", "unknown", "asked"))
    async with store.read() as connection:
        rows = (await connection.execute(select(events.c.row, events.c.command_id).where(*grave))).all()
        refused = select(events.c.command_id).where(events.c.severity == "critical", events.c.outcome == "rejected")
        settled = set((await connection.execute(refused)).scalars())
    return {one.row for one in rows if one.command_id is None or one.command_id not in settled}


@pytest.fixture(autouse=True)
def seldom_patrols(monkeypatch: pytest.MonkeyPatch) -> None:
    """What wakes up for nothing costs this test real time."""
    monkeypatch.setattr(outbox_module, "PATROL_SECONDS", 600.0)
    monkeypatch.setattr(carrier, "PATROL_SECONDS", 600.0)


def test_six_hours_without_a_mail_server_lose_nothing_and_flood_nobody(tmp_path: Path) -> None:
    async def main(store: Store) -> None:
        postman = Timed()
        postman.away = True
        async with store.write() as connection:
            await mailbox.set_people(connection, PEOPLE, simulated.now())
        first = Outbox(store, postman, MANNER, now=simulated.now)
        async with running(first):
            assert await outage(store, first) == 500
            assert first.mail.failing_since is not None
            assert simulated.now() - first.mail.failing_since > (HOURS - 1) * 3600
        assert postman.letters == []
        assert postman.tries < HOURS * 3600 / 20  # nobody hammers a server that is away
        # A restart knows since when, and the server comes back.
        again = Outbox(store, postman, MANNER, now=simulated.now)
        async with running(again):
            await asyncio.sleep(300)
            assert again.mail.failing_since == first.mail.failing_since
            postman.away = False
            await asyncio.sleep(3600)
            await record(store, again, *command(1000))
            await asyncio.sleep(10)
        await _judge(store, postman)

    simulated.run(lambda: with_store(tmp_path, main))


async def _judge(store: Store, postman: Timed) -> None:
    called_for = await tales(store)
    master = told(postman, MASTER)
    unlisted: list[set[int]] = []
    named = [(x.subject, set(map(int, _ROW.findall(x.text)))) for x in (*master.alone, *master.digests)]
    counts = {source: len(of_source) for source, of_source in called_for.items()}
    for source, of_source in called_for.items():
        for rows in of_source:
            holding = [subject for subject, listed in named if listed & rows]
            assert len(holding) <= 1, (source, rows, holding)
            if not holding:
                unlisted.append(rows)
    # A digest lists two hundred and counts the rest, which is never something that was done.
    assert sum(int(number) for x in master.digests for number in _MORE.findall(x.text)) == len(unlisted)
    assert not {row for rows in unlisted for row in rows} & await done(store)
    # One digest for each source that had much to say, to each audience; the rest is few.
    assert len(master.digests) <= 2 * len(counts)
    assert len(master.alone) <= ALONE * len(counts)
    assert len(master.alone) + len(master.digests) < sum(counts.values()) / 5
    gathered = sum(int(x.subject.split()[0]) for x in master.digests)
    assert gathered + len(master.alone) == sum(counts.values())
    # What happens after the outage is told alone and at once.
    assert "unlocked" in master.alone[-1].subject
    assert postman.came[-1][1] == master.alone[-1]
    # The member hears of the lockdown and of the tries at his own account, and of nothing else.
    member = told(postman, MEMBER)
    assert {x.subject.rpartition(" — ")[0] for x in member.alone} <= {
        "The home is locked down",
        "Security: Sign-in failed: Bob",
    }
    assert any("locked down" in x.subject for x in member.alone)
    assert not member.digests, "twenty in six hours are few enough to come as they are"
    # Paced: the limiter's bucket once, and what drips out of it.
    times = [at for at, _ in postman.came]
    assert max(sum(1 for other in times if 0 <= other - at < 60) for at in times) <= 2 * PER_MINUTE
    print(
        f"\n500 events called for {sum(counts.values())} letters ({counts}).",
        f"Master user: {len(master.alone)} alone, digests: {[x.subject for x in master.digests]}.",
        f"Member: {[x.subject for x in (*member.alone, *member.digests)]}.",
    )


def test_another_way_tells_at_once_while_mail_is_away_and_the_other_way_round(tmp_path: Path) -> None:
    async def main(store: Store) -> None:
        mail, phone = Timed(), Timed("phone")
        mail.away = True
        async with store.write() as connection:
            await mailbox.set_people(connection, PEOPLE, simulated.now())
        outbox = Outbox(store, mail, MANNER, further=[Further(phone)], now=simulated.now)
        async with running(outbox):
            for number in (0, 1, 2):
                await record(store, outbox, *command(number))
                await asyncio.sleep(60)
                assert len(phone.letters) == number + 1
            assert mail.letters == []
            mail.away, phone.away = False, True
            await asyncio.sleep(120)
            assert len([x for x in mail.letters if x.to == MASTER]) == 3
            for number in range(3, 40):
                await record(store, outbox, *command(number))
                await asyncio.sleep(60)
            assert len([x for x in mail.letters if x.to == MASTER]) >= 30
            assert len(phone.letters) == 3
            phone.away = False
            await asyncio.sleep(700)
            # What waited too long comes as one sum, and only what is fresh alone.
            sums = [x for x in phone.letters if "while this way was closed" in x.subject]
            assert len(sums) == 1
            assert len(phone.letters) < 3 + 1 + 20
            await record(store, outbox, *command(1000))
            await asyncio.sleep(10)
            assert "unlocked" in phone.letters[-1].subject

    simulated.run(lambda: with_store(tmp_path, main))
