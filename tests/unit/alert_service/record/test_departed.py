"""Erasing from the record whoever the auth service has erased: when it says so, never for an event, in any order."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from alert_service.chain.arrivals import Arrival
from alert_service.record import erasing, records
from alert_service.record.departed import Departed
from alert_service.tables import deliveries, erased, events, letters
from shared.keeping.database import Store
from shared.words import internal_recipients
from shared.words.internal_recipients import Erasure, Erasures
from shared.words.messages import AuditEvent
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.alert_service.parts import HOUSE, START, event
from tests.unit.alert_service.record.test_erasing import EMAIL, life, of_her
from tests.unit.alert_service.record_parts import BOB, acts, all_rows, tell, verdict

EVE = Erasure(id="u9", emails=(EMAIL,))


class FakeAuth:
    """Knows who is still to be erased; `away` answers nothing."""

    def __init__(self, *people: Erasure) -> None:
        self.people = {one.id: one for one in people}
        self.away = False
        self.asked = asyncio.Event()

    async def call(self, method: str, path: str, _kind: Any) -> Erasures | None:
        self.asked.set()
        if self.away:
            raise HomeError("auth-unreachable")
        if method == "GET":
            assert path == internal_recipients.ERASURES
            return Erasures(people=tuple(self.people.values()))
        assert (method, path.rpartition("/")[0]) == ("DELETE", internal_recipients.ERASURES)
        self.people.pop(path.rpartition("/")[2], None)
        return None


class House:
    """The record, and who sees to it that the departed leave it; `called` in which order it called others."""

    def __init__(self, store: Store, auth: FakeAuth) -> None:
        self.store = store
        self.auth = auth
        self.called: list[str] = []
        self.begin()

    def begin(self) -> None:
        """As after a restart."""

        async def refresh() -> None:
            self.called.append("refresh")

        self.departed = Departed(
            cast("Any", self.auth),
            self.store,
            refresh=refresh,
            erased=lambda: self.called.append("erased"),
            now=lambda: START,
        )

    async def tell(self, source: str, told: AuditEvent) -> None:
        async with self.store.write() as connection:
            await records.record(connection, [Arrival(source, told)], START, self.departed.noticing(HOUSE))


def word(number: str = "gone") -> AuditEvent:
    return event(id=number, what="account:erased", where="user/u9", issuer="gateway", user=BOB, command_id=None)


async def test_whoever_is_erased_leaves_the_record_and_then_the_auth_service_forgets_them(
    store: Store, tmp_path: Path
) -> None:
    house = House(store, FakeAuth(EVE))
    await tell(store, [*acts(3), *life()])
    assert await house.departed.settle()
    assert of_her(tmp_path / "alerts.sqlite3") == []
    assert (await verdict(store)).broken is None
    assert house.auth.people == {}
    assert house.called[0] == "refresh", "no letter is to be on its way to them any more"
    assert "erased" in house.called
    assert not await house.departed.settle()


async def test_an_event_erases_nobody_whoever_sends_it(store: Store) -> None:
    house = House(store, FakeAuth())
    await tell(store, life())
    before = [row for row in await all_rows(store) if row.event.id != "gone"]
    for number, source in enumerate(("hall", "gateway", "gateway-2", "auth")):
        await house.tell(source, word(f"w{number}"))
        assert not await house.departed.settle()
    assert (await all_rows(store))[: len(before)] == before
    async with store.read() as connection:
        assert (await connection.execute(select(erased.c.user_id))).all() == [], "they act under their name from now on"


async def test_what_fails_for_one_is_done_for_the_others_and_is_tried_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(store, FakeAuth(Erasure(id="u8", emails=()), EVE))
    await tell(store, life())
    whole = erasing.erase

    async def torn(given: Store, *, user_id: str, **more: Any) -> int:
        if user_id == "u8":
            raise HomeError("internal", "row 3 cannot be read")
        return await whole(given, user_id=user_id, **more)

    with monkeypatch.context() as broken:
        broken.setattr(erasing, "erase", torn)
        with pytest.raises(HomeError, match="row 3"):
            await house.departed.settle()
    assert of_her(tmp_path / "alerts.sqlite3") == []
    assert set(house.auth.people) == {"u8"}
    assert await house.departed.settle()
    assert house.auth.people == {}


async def test_the_auth_services_word_has_it_asked_at_once_and_a_rooms_does_not(store: Store, tmp_path: Path) -> None:
    """And it is asked again where the word came before the account was gone."""
    house = House(store, FakeAuth())
    await tell(store, life())
    task = asyncio.create_task(house.departed.run())
    async with asyncio.timeout(DEADLINE):
        await house.auth.asked.wait()
        house.auth.asked.clear()
        await house.tell("hall", word("forged"))
        await house.tell("gateway", word("forged"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not house.auth.asked.is_set()
        await house.tell("auth", word())
        await house.auth.asked.wait()
        house.auth.people["u9"] = EVE  # it is committed only now
        while house.auth.people:  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert of_her(tmp_path / "alerts.sqlite3") == []


HERS = life()
STEPS = st.one_of(
    st.tuples(st.just("tell"), st.integers(0, len(HERS) - 1)),
    st.tuples(st.just("word"), st.sampled_from(["auth", "gateway", "hall"])),
    st.tuples(st.sampled_from(["commit", "settle", "by hand", "interrupted", "away", "restart"]), st.none()),
)


class Story(House):
    """What happens step by step; `told` are the events about her so far."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, FakeAuth())
        self.committed = False
        self.told: set[str] = set()
        self.words = 0

    async def take(self, step: str, what: Any) -> None:
        match step:
            case "tell":
                await self.tell(*HERS[what])
                self.told.add(HERS[what][1].id)
            case "word":
                self.words += 1
                await self.tell(what, word(f"w{self.words}"))
            case "commit" if not self.committed:
                self.committed = True
                self.auth.people["u9"] = EVE
            case "by hand" | "interrupted" if self.committed:
                await self.erase(whole=step == "by hand")
            case "away":
                self.auth.away = True
                with pytest.raises(HomeError, match="auth-unreachable"):
                    await self.departed.settle()
                self.auth.away = False
            case "restart":
                self.begin()
            case _:
                await self.departed.settle()

    async def erase(self, *, whole: bool) -> None:
        """As `homesystem user erase`, which tells nobody that it is done; or only so far that it began."""
        if whole:
            await erasing.erase(self.store, user_id="u9", emails=[EMAIL], now=START)
        else:
            async with self.store.write() as connection:
                await erasing.mark(connection, "u9", START)
            self.begin()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=14))
async def test_in_whatever_order_it_comes_nobody_is_left_and_nobody_is_lost(
    store: Store, tmp_path: Path, steps: list[tuple[str, Any]]
) -> None:
    """Events before, after, late and twice; the word, true or forged; restarts, and an erasure that ends half way."""
    async with store.write() as connection:
        for table in (deliveries, letters, events, erased):
            await connection.execute(delete(table))
    story = Story(store)
    await tell(store, acts(3))
    for step, what in steps:
        await story.take(step, what)
    await story.departed.settle()
    rows = await all_rows(store)
    assert {row.event.id for row in rows} & {one.id for _, one in HERS} == story.told
    assert len({(row.source, row.event.id) for row in rows}) == len(rows), "each is there, once"
    assert (await verdict(store)).broken is None
    left = of_her(tmp_path / "alerts.sqlite3")
    if story.committed:
        assert (left, story.auth.people) == ([], {})
    else:
        assert len(left) >= len(story.told - {"bob-in"}), "they are there under their name"
