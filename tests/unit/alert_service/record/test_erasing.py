"""Erasing a person: nothing of them is left in the table, the chain still holds, and nobody brings them back."""

import sqlite3
import uuid
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals, erasures
from alert_service.config import MAIL
from alert_service.letters import mailbox, release
from alert_service.letters.day_story import DayStory, Done
from alert_service.record import erasing
from alert_service.store import open_store
from alert_service.tables import dailies, deliveries, events, letters
from alert_service.telling.policy import HOUSE_POLICY
from shared.keeping.database import Store
from shared.words import messages
from shared.words.internal_recipients import Recipient
from shared.words.messages import AuditEvent, UserRef
from shared.words.names import Severity
from tests.unit.alert_service.parts import START, event, masters
from tests.unit.alert_service.record_parts import BOB, acts, all_rows, tell, verdict

EVE = UserRef(id="u9", name="Evelyn")
EMAIL = "evelyn@example.org"
ABOUT = {"user": "Evelyn", "email": EMAIL, "role": "member"}


def started(number: str, user: UserRef, browser: str) -> AuditEvent:
    return event(
        id=number,
        what="session:started",
        where=f"session/{number}",
        user=user,
        detail={"browser": browser},
        severity=Severity.INFO,
        command_id=None,
    )


def life() -> list[tuple[str, AuditEvent]]:
    """What is told of Evelyn by those who tell of her, among other things."""
    home = "192.0.2.50"
    slip = {"user": "Evelyn", "count": "5"}
    return [
        ("auth", event(id="created", what="account:created", where="user/u9", user=None, address=None, detail=ABOUT)),
        ("auth", event(id="by-bob", what="account:changed", where="user/u9", user=BOB, detail=ABOUT)),
        ("gateway", event(id="asked", user=EVE, address=home)),
        ("hall", event(id="done", user=EVE, address=home)),
        ("auth", started("in", EVE, "Lynx")),
        ("auth", event(id="slip", what="account:x", where="user/u9", user=None, address=home, detail=slip)),
        ("auth", started("bob-in", BOB, "Links")),
    ]


def hers() -> tuple[Recipient, ...]:
    return (Recipient(id="u9", email=EMAIL, master=True),)


async def letter_of_a_day(connection: AsyncConnection) -> int:
    """A letter that a day's figures belong to."""
    empty = {"kind": "daily", "key": uuid.uuid4().hex, "round": 0, "source": "alerts", "state": "released"}
    made = letters.insert().values(**empty, refused_by_gateway=False, created_at=START).returning(letters.c.id)
    return int((await connection.execute(made)).scalar_one())


async def erase(store: Store) -> int:
    return await erasing.erase(store, user_id="u9", emails=[EMAIL], now=START)


def of_her(path: Path) -> list[str]:
    """Every cell of the database that still tells of her."""
    needles = ("Evelyn", EMAIL, "192.0.2.50", "Lynx")
    with sqlite3.connect(path) as direct:
        tables = [name for (name,) in direct.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        cells = [str(cell) for table in tables for row in direct.execute(f"SELECT * FROM {table}") for cell in row]
    direct.close()
    return [cell for cell in cells if any(needle in cell for needle in needles)]


def raw(folder: Path) -> bytes:
    """Every byte of the database's files."""
    return b"".join(path.read_bytes() for path in folder.glob("alerts.sqlite3*"))


async def test_nothing_of_the_person_is_left_and_the_chain_holds(store: Store, tmp_path: Path) -> None:
    await tell(store, [*acts(3), *life(), *acts(3, first=10)])
    assert of_her(tmp_path / "alerts.sqlite3") != []
    assert await erasing.count(store, "u9") == 6
    head = await verdict(store)
    assert await erase(store) == 6
    assert of_her(tmp_path / "alerts.sqlite3") == []
    after = await verdict(store)
    assert (after.broken, after.row) == (None, head.row + 1)
    rows = {row.event.id: row.event for row in await all_rows(store)}
    assert rows["by-bob"].who.user == BOB  # what others did stays theirs
    assert rows["by-bob"].detail == {"role": "member"}
    assert rows["bob-in"].detail == {"browser": "Links"}
    assert rows["e1"].who.user is not None
    assert rows["done"].what == "device:unlock"


async def test_neither_a_former_nor_a_later_name_of_the_person_is_left(store: Store, tmp_path: Path) -> None:
    # As the auth service tells it: whom it is about under the name of that time, and the new one.
    names = {"user": "Evelyn", "name": "Evelyn Two"}
    await tell(store, [("auth", event(id="renamed", what="account:changed", where="user/u9", user=BOB, detail=names))])
    await erase(store)
    assert of_her(tmp_path / "alerts.sqlite3") == []
    assert (await verdict(store)).broken is None


async def test_the_file_itself_holds_nothing_of_the_person_any_more(url: str, tmp_path: Path) -> None:
    """Not in pages that are unused now, either."""
    opened = await open_store(url)
    await tell(opened, [*acts(50), *life(), *acts(50, first=100)])
    await erase(opened)
    await opened.close()
    content = raw(tmp_path)
    assert b"device:unlock" in content
    assert [needle for needle in (b"Evelyn", EMAIL.encode(), b"192.0.2.50", b"Lynx") if needle in content] == []


async def test_what_she_wanted_and_another_agreed_to_keeps_the_other_alone(store: Store, tmp_path: Path) -> None:
    hers = {"user": "Evelyn", "partner": "u9"}
    asked = ("gateway", event(id="two", user=BOB, detail=hers))
    agreed = ("auth", event(id="agreed", what="device:agreed", user=BOB, command_id=None, detail=hers))
    dropped = ("auth", event(id="gone", what="device:wish-dropped", user=None, command_id=None, detail=hers))
    await tell(store, [asked, agreed, dropped])
    assert await erasing.count(store, "u9") == 3
    assert await erase(store) == 3
    assert of_her(tmp_path / "alerts.sqlite3") == []
    rows = {row.event.id: row.event for row in await all_rows(store)}
    assert (rows["two"].who.user, rows["two"].detail) == (BOB, {"partner": "u9"})
    assert (await verdict(store)).broken is None
    await tell(store, [("gateway", event(id="late", user=BOB, detail=hers))])
    assert of_her(tmp_path / "alerts.sqlite3") == [], "what is told late brings nobody back"


async def test_it_may_be_repeated(store: Store) -> None:
    await tell(store, life())
    assert (await erase(store), await erase(store)) == (6, 0)


async def test_it_goes_in_batches(store: Store) -> None:
    await tell(store, acts(450, user=EVE))
    told: list[int] = []
    assert await erasing.erase(store, user_id="u9", emails=[EMAIL], now=START, told=told.append) == 450
    assert told == [200, 400, 450]
    assert (await verdict(store, batch=100)).broken is None


async def test_what_is_told_again_of_an_erased_person_is_known_and_brings_nobody_back(
    store: Store, tmp_path: Path
) -> None:
    await tell(store, life())
    await erase(store)
    await tell(store, life(), START + 60)
    assert len(await all_rows(store)) == 8
    assert of_her(tmp_path / "alerts.sqlite3") == []


async def test_what_is_told_late_of_an_erased_person_is_recorded_without_them(store: Store, tmp_path: Path) -> None:
    await tell(store, life()[:2])
    await erase(store)
    await tell(store, life(), START + 60)
    rows = await all_rows(store)
    told = [row.event.id if row.source != "alerts" else row.event.detail for row in rows]
    first, then = {"rows-1": "1-2"}, {"rows-1": "4-7"}
    assert told == ["created", "by-bob", first, "asked", "done", "in", "slip", "bob-in", then]
    assert of_her(tmp_path / "alerts.sqlite3") == []
    assert rows[7].event.detail == {"browser": "Links"}
    assert (await verdict(store)).broken is None


async def test_another_content_about_an_erased_person_is_still_an_incident(store: Store) -> None:
    await tell(store, life())
    await erase(store)
    await tell(store, [("hall", event(id="done", user=EVE, what="device:lock"))], START + 60)
    assert (await all_rows(store))[-1].event.what == "audit:id-reused"


async def test_nobody_can_be_put_where_a_person_was_erased(store: Store) -> None:
    await tell(store, life())
    await erase(store)
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 3).values(user_id="u1", user_name="Ada"))
    broken = (await verdict(store)).broken
    assert broken is not None
    assert (broken.row, broken.reason) == (3, "names a person although it was erased")


async def test_the_addresses_of_letters_that_left_are_erased_and_those_that_wait_are_not(store: Store) -> None:
    async with store.write() as connection:
        await mailbox.set_people(connection, hers(), START)
    await tell(store, life())
    async with store.write() as connection:
        await release.release(connection, START, 20, HOUSE_POLICY)
        await connection.execute(update(deliveries).where(deliveries.c.id == 1).values(state="sent"))
    await erase(store)
    async with store.read() as connection:
        due = await mailbox.due(connection, MAIL, START, 10)
        assert {one.recipient for one in due} == {EMAIL}
        first = await connection.execute(deliveries.select().where(deliveries.c.id == 1))
        assert first.one().recipient == "erased/u9/1"


async def test_an_address_counts_however_it_was_spelt_and_not_once_it_is_somebody_elses(store: Store) -> None:
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("EVELYN@example.org", EMAIL, "bob@example.org"), START)
    await tell(store, life())
    async with store.write() as connection:
        await release.release(connection, START, 20, HOUSE_POLICY)
        await connection.execute(update(deliveries).values(state="sent"))
        await mailbox.set_people(connection, masters("bob@example.org"), START)
    emails = [EMAIL, "bob@example.org"]
    await erasing.erase(store, user_id="u9", emails=emails, now=START)
    async with store.read() as connection:
        left = {one.recipient for one in (await connection.execute(deliveries.select())).all()}
    assert {one for one in left if not one.startswith("erased/u9/")} == {"bob@example.org"}


async def test_a_daily_letter_says_no_more_by_whom(store: Store, tmp_path: Path) -> None:
    await tell(store, life())
    story = DayStory(
        done=(
            Done("device:unlock", "hall/door", 2, ("Evelyn", "Bob")),
            Done("device:lock", "hall/door", 1),
        ),
        refused=1,
    )
    figures = {"day": "2026-11-22", "row": 3, "story": story}
    async with store.write() as connection:
        for day, kept in (("2026-11-22", msgspec.json.encode(figures).decode()), ("2026-11-23", "no JSON")):
            letter = await letter_of_a_day(connection)
            await connection.execute(dailies.insert().values(day=day, letter=letter, figures=kept))
    await erase(store)
    assert of_her(tmp_path / "alerts.sqlite3") == []
    async with store.read() as connection:
        first, second = (await connection.execute(dailies.select().order_by(dailies.c.day))).all()
    after = msgspec.json.decode(first.figures)
    assert msgspec.convert(after["story"], DayStory) == DayStory(
        done=(Done("device:unlock", "hall/door", 2), Done("device:lock", "hall/door", 1)), refused=1
    )
    assert (after["row"], second.figures) == (3, "no JSON")


async def test_a_person_taken_out_by_hand_is_found(store: Store) -> None:
    """The hash does not cover it, and an erasure of somebody else covers it no more."""
    await tell(store, [*acts(3), *life()])
    await erase(store)
    gone: dict[str, object] = {"user_id": None, "user_name": None, "address": None, "detail": '{"reason":"r2"}'}
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 2).values(salt=None, **gone))
    broken = (await verdict(store)).broken
    assert broken is not None
    assert (broken.row, broken.reason) == (2, "was changed: somebody was taken out of it, and no erasure tells of that")


@pytest.mark.parametrize("detail", ["'{}'", "'no JSON'", "x'ff'", "cast(x'ff' as text)"])
async def test_a_spoiled_word_about_an_erasure_vouches_for_nothing(store: Store, detail: str) -> None:
    await tell(store, life())
    await erase(store)
    async with store.write() as connection:
        await connection.execute(text(f"UPDATE events SET detail = {detail} WHERE row = 8"))
    broken = (await verdict(store)).broken
    assert broken is not None
    assert broken.row == 1


def test_the_word_about_an_erasure_fits_a_detail_whatever_rows_it_names() -> None:
    rows = range(10**9, 10**9 + 400, 2)  # nothing to gather, and long
    made = erasures.arrival(rows, START).event
    assert len(made.detail) <= arrivals.MAX_DETAILS
    decoded = messages.decode(AuditEvent, messages.encode(made))
    told = erasures.told([(10**10, msgspec.json.encode(decoded.detail).decode())])
    assert list(told) == [(row, row) for row in rows]
    assert list(erasures.told([(10**9 + 3, msgspec.json.encode(decoded.detail).decode())])) == [
        (10**9, 10**9),
        (10**9 + 2, 10**9 + 2),
    ]
