"""What waits for a second person: who may agree, that it is carried out once, and everything that ends it."""

import asyncio
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_service.account import pending_watch, rights
from auth_service.account.pending_watch import PendingWatch
from auth_service.account.pending_wishes import PendingWishes
from auth_service.home import pending_rows, room_rows
from auth_service.home.pending_rows import PRESSES_KEPT
from auth_service.home.pending_rules import WAIT
from auth_service.hub.accounts import Accounts
from auth_service.people import changed_rights
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import token_rows
from auth_service.signing_in.sessions import Sessions
from auth_service.store import open_store
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal_proofs import ConfirmByChange
from shared.words.names import Action, ConfirmBy
from shared.words.pending import Pressed
from shared.words.problem import HomeError
from shared.words.scopes import Allowed
from tests.unit.auth_service.account.pending_house import HERE, LIMITS, ZONE, House, refused
from tests.unit.auth_service.parts import START, Clock, fill


@pytest.fixture
async def house(store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts) -> House:
    made = House(store, proof, spool, clock, accounts)
    await made.furnish()
    return made


async def test_a_second_person_agrees_and_that_press_alone_carries_it_out(house: House) -> None:
    first = await house.press("ada", "a1")
    assert (first.outcome, first.wish) == ("pending", (await house.standing())[0])
    assert first.wish is not None
    assert (first.wish.by.name, first.wish.until) == ("Ada", house.clock() + WAIT)
    woken = house.woken
    second = await house.press("bea", "b1")
    assert (second.outcome, second.wish) == ("agreed", first.wish)
    assert await house.standing() == []
    assert house.told() == ["wished Ada", "agreed Bea"]
    assert house.woken > woken
    async with house.store.read() as connection:
        noted = [one.user_id for one in await changed_rights.untold(connection)]
    assert changed_rights.REGISTRY in noted, "every gateway hears of it"
    agreed = next(event for event in house.spool.pending(100) if event.what == "device:agreed")
    assert (agreed.detail["user"], agreed.detail["partner"]) == ("Ada", house.people["ada"].id)


async def test_the_same_person_in_two_browsers_is_one_person(house: House) -> None:
    first = await house.press("ada", "a1")
    again = await house.press("ada", "a2", token=await house.sit("ada"))
    assert (again.outcome, again.wish) == ("pending", first.wish)
    agreeing = await house.press("ada", "a3", token=await house.sit("ada"), agrees_to="a1")
    assert (agreeing.outcome, agreeing.wish) == ("pending", first.wish)
    assert house.told() == ["wished Ada"]


async def test_a_token_of_a_second_person_is_no_person(house: House) -> None:
    await house.press("ada", "a1")
    async with house.store.write() as connection:
        made = await token_rows.make(
            connection,
            house.people["bea"].id,
            name="Panel",
            scope=(Allowed(room="hall", device="door", actions=(Action.UNLOCK,)),),
            expires_at=house.clock() + timedelta(days=1),
            now=house.clock(),
        )
    await refused(house, "sign-in-required", "bea", token=made.token)
    assert len(await house.standing()) == 1


async def test_an_id_presses_once_whatever_became_of_it(house: House) -> None:
    first = await house.press("ada", "a1")
    assert await house.press("ada", "a1") == first
    await refused(house, "id-reused", "ada", "a1", action=Action.PRESS)
    assert (await house.press("bea", "b1")).outcome == "agreed"
    assert (await house.press("bea", "b1")).outcome == "acted", "asked again, and nothing is to move"
    await refused(house, "id-used", "ada", "a1")
    assert await house.standing() == [], "no replay puts it up anew"
    house.clock.forward(seconds=PRESSES_KEPT.total_seconds() + 1)
    house.tokens["ada"] = await house.sit("ada")
    assert (await house.press("ada", "a9")).outcome == "pending"
    async with house.store.read() as connection:
        assert await pending_rows.press_of(connection, house.people["ada"].id, "a1") is None


async def test_of_two_second_persons_at_once_one_agrees(house: House) -> None:
    await house.press("ada", "a1")
    both = await asyncio.gather(
        house.press("bea", "b1", agrees_to="a1"), house.press("cy", "c1", agrees_to="a1"), return_exceptions=True
    )
    outcomes = sorted(one.outcome if isinstance(one, Pressed) else getattr(one, "slug", repr(one)) for one in both)
    assert outcomes == ["agreed", "wish-over"]
    assert await house.standing() == []


async def test_a_guest_agrees_within_the_hour_that_a_grant_names_and_not_after(house: House) -> None:
    house.clock.time = START.replace(hour=16, minute=59)  # 17:59 in the home
    await house.press("ada", "a1")
    house.clock.forward(seconds=59)
    house.clock.forward(seconds=1)
    await refused(house, "forbidden", "cy", "c1")
    house.clock.forward(seconds=-30)
    assert (await house.press("cy", "c2")).outcome == "agreed"


async def test_what_a_guest_wanted_is_over_with_their_hour(house: House) -> None:
    house.clock.time = START.replace(hour=16, minute=59, second=30)
    await house.press("cy", "c1")
    house.clock.forward(seconds=40)
    await refused(house, "wish-over", "bea", "b1", agrees_to="c1")
    assert house.told() == ["wished Cy", "wish-dropped rights-changed"]


async def test_after_two_minutes_nobody_agrees_to_it(house: House) -> None:
    await house.press("ada", "a1")
    house.clock.forward(seconds=WAIT.total_seconds())
    assert (await house.press("bea", "b1")).outcome == "pending", "which is a first press again"
    assert house.told() == ["wished Ada", "wish-dropped nobody-agreed", "wished Bea"]


async def test_a_clock_that_is_set_back_keeps_nothing_pending(house: House) -> None:
    await house.press("ada", "a1")
    house.clock.forward(minutes=-30)
    await house.watch.sweep()
    assert house.told()[-1] == "wish-dropped clock"
    assert await house.standing() == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda house: house.set_lockdown(active=True), "lockdown"),
        (lambda house: house.confirm_by(ConfirmBy.STEP_UP), "device-changed"),
        (lambda house: house.accounts.disable_user("bea@example.org"), "rights-changed"),
        (lambda house: house.accounts.revoke_identity("hall"), "device-changed"),
        (lambda house: house.sign_out("bea"), "session-ended"),
    ],
)
async def test_what_ends_it_meanwhile(house: House, change: Any, why: str) -> None:
    await house.press("bea", "b1")
    await change(house)
    await house.watch.sweep()
    assert await house.standing() == []
    assert house.told()[-1] == f"wish-dropped {why}"


async def test_nobody_agrees_to_what_was_wanted_in_a_session_that_is_over(house: House) -> None:
    await house.press("bea", "b1")
    await house.sign_out("bea")
    assert (await house.press("ada", "a1")).outcome == "pending", "a wish of their own, for somebody else"
    assert house.told() == ["wished Bea", "wish-dropped session-ended", "wished Ada"]


@pytest.mark.parametrize("pending", [True, False])
async def test_a_session_that_ends_while_its_press_is_looked_at_presses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch, pending: bool
) -> None:
    if pending:
        await house.press("bea", "b1")
    sweep = house.watch.sweep

    async def ending(*, local: datetime | None = None) -> bool:
        await house.sign_out("ada")
        return await sweep(local=local)

    monkeypatch.setattr(house.watch, "sweep", ending)
    await refused(house, "sign-in-required", "ada", "a1")
    assert house.told() == (["wished Bea"] if pending else [])
    assert [wish.by.name for wish in await house.standing()] == (["Bea"] if pending else [])


async def test_a_start_of_the_service_leaves_nothing_pending(house: House) -> None:
    await house.press("bea", "b1")
    await house.watch.drop_all("hub-restarted")
    assert house.told()[-1] == "wish-dropped hub-restarted"


async def test_what_a_former_life_had_pending_is_agreed_to_by_nobody_however_early_they_press(
    house: House, store: Store, proof: Proof, clock: Clock
) -> None:
    await house.press("ada")
    sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
    watch = PendingWatch(store, sessions, proof, now=clock, wake=lambda: None, steady=clock.steady)
    house.pending = PendingWishes(store, sessions, proof, watch, now=clock, wake=lambda: None)
    first, second = await asyncio.gather(house.press("bea"), house.press("cy"))
    assert sorted((first.outcome, second.outcome)) == ["agreed", "pending"], "these two want it now"
    assert house.told().count("wish-dropped hub-restarted") == 1


async def test_what_is_pending_is_looked_after_and_the_database_left_alone_while_nothing_is(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, looks = house.watch.sweep, 0

    async def counted(*, local: datetime | None = None) -> bool:
        nonlocal looks
        looks += local is None  # a press looks with the home's hour
        return await sweep(local=local)

    monkeypatch.setattr(pending_watch, "_PATROL_SECONDS", 0)
    monkeypatch.setattr(house.watch, "sweep", counted)
    patrol = asyncio.create_task(house.watch.run())
    for number, name in enumerate(("bea", "ada")):
        await house.press(name)
        clock.forward(minutes=3)
        while house.told().count("wish-dropped nobody-agreed") == number:
            await house.standing()  # until it was looked at
        for _ in range(5):
            await house.standing()
        before = looks
        for _ in range(50):
            await house.standing()
        assert looks == before, "nothing is pending"
    patrol.cancel()
    await asyncio.wait((patrol,))


async def test_who_is_erased_leaves_nothing_pending_and_the_gateways_hear_of_it(house: House) -> None:
    await house.press("bea", "b1")
    async with house.store.write() as connection:
        await changed_rights.told(connection, await changed_rights.untold(connection))
        await rights.erase(connection, house.people["bea"], house.clock(), disabled=False)
    async with house.store.read() as connection:
        assert await pending_rows.everything(connection) == ()
        assert changed_rights.REGISTRY in {one.user_id for one in await changed_rights.untold(connection)}


async def test_a_device_that_is_critical_no_more_still_takes_two(house: House) -> None:
    async with house.store.write() as connection:
        known = await room_rows.find(connection, "hall")
        assert known is not None
        devices = tuple(msgspec.structs.replace(one, critical=False) for one in known.devices)
        await room_rows.save(connection, known, msgspec.structs.replace(known, devices=devices))
    assert (await house.press("ada")).outcome == "pending"
    await house.watch.sweep()
    assert (await house.press("bea")).outcome == "agreed"


async def test_in_a_lockdown_nothing_is_put_up(house: House) -> None:
    await house.set_lockdown(active=True)
    await refused(house, "lockdown", "ada")


async def test_another_value_is_another_wish(house: House) -> None:
    await house.press("ada", "a1", device="blind", action=Action.SET, value=30)
    await refused(house, "other-wish-pending", "bea", device="blind", action=Action.SET, value=40)
    replaced = await house.press("ada", "a2", device="blind", action=Action.SET, value=40)
    assert [one.value for one in await house.standing()] == [40]
    await refused(house, "wish-over", "bea", device="blind", action=Action.SET, value=40, agrees_to="a1")
    agreed = await house.press("bea", device="blind", action=Action.SET, value=40, agrees_to="a2")
    assert (agreed.outcome, agreed.wish) == ("agreed", replaced.wish)


async def test_whoever_may_act_takes_it_back_and_a_master_user(house: House) -> None:
    for name in ("ada", "bea", "cy"):
        wish = (await house.press("bea")).wish
        await house.take_back(name, wish)
        assert await house.standing() == []
        with pytest.raises(HomeError, match="wish-over"):
            await house.take_back(name, wish)
    assert house.told().count("taken-back Cy") == 1
    wish = (await house.press("bea", device="blind", action=Action.OPEN)).wish
    with pytest.raises(HomeError, match="forbidden"):
        await house.take_back("cy", wish)


async def test_taking_back_and_agreeing_at_once_is_one_of_both(house: House) -> None:
    wish = (await house.press("ada", "a1")).wish
    both = await asyncio.gather(
        house.take_back("ada", wish), house.press("bea", "b1", agrees_to="a1"), return_exceptions=True
    )
    taken, agreed = both
    assert isinstance(taken, HomeError) != isinstance(agreed, HomeError)
    assert await house.standing() == []


async def test_where_nobody_else_may_nothing_is_put_up_and_the_way_is_refused(house: House) -> None:
    await house.accounts.disable_user("bea@example.org")
    house.clock.time = START.replace(hour=20)  # Cy may not now
    await refused(house, "nobody-to-agree", "ada")
    await house.accounts.disable_user("cy@example.org")
    await house.confirm_by(ConfirmBy.DIALOG)
    wanted = ConfirmByChange(token=house.tokens["ada"], confirm_by=ConfirmBy.TWO_PERSONS, address=HERE)
    with pytest.raises(HomeError, match="Nobody but one person") as error:
        await house.ways.change("hall", "door", wanted, "gateway")
    assert error.value.facts == {"field": "confirm_by"}


async def test_the_way_is_taken_back_by_whoever_proved_who_they_are(house: House) -> None:
    for way in (ConfirmBy.DIALOG, ConfirmBy.STEP_UP):
        wanted = ConfirmByChange(token=house.tokens["ada"], confirm_by=way, address=HERE)
        with pytest.raises(HomeError, match="step-up-required"):
            await house.ways.change("hall", "door", wanted, "gateway")


async def test_without_proof_nothing_is_put_up_and_nothing_agreed_to(house: House, tmp_path: Path) -> None:
    await house.press("ada", "a1")
    fill(tmp_path / "spool.sqlite3")
    await refused(house, "no-proof", "bea", "b1")
    assert [one.id for one in await house.standing()] == ["a1"]
    await refused(house, "no-proof", "bea", "b2", device="blind", action=Action.OPEN)


# against a slow, plain model

Step = tuple[Literal["press", "back", "wait", "lockdown", "way", "disable"], int, int]
NAMES = ("ada", "bea", "cy")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("press"), st.integers(0, 2), st.integers(0, 5)),
        st.tuples(st.just("back"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("wait"), st.sampled_from([1, 50, 119, 120, -3600, 7200]), st.just(0)),
        st.tuples(st.just("lockdown"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("way"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("disable"), st.integers(1, 2), st.just(0)),
    ),
    min_size=3,
    max_size=14,
)


class Model:
    """One door, as slowly and plainly as can be: the wish that stands, and every id that pressed."""

    def __init__(self) -> None:
        self.now, self.locked_down, self.two, self.disabled = START, False, True, set[str]()
        self.wish: tuple[str, str, datetime] | None = None
        self.ids: dict[tuple[str, str], str] = {}

    def may(self, name: str) -> bool:
        in_time = name != "cy" or 12 <= self.now.astimezone(ZONE).hour < 18
        return name not in self.disabled and in_time

    def tidy(self) -> None:
        if self.wish is None:
            return
        _, name, until = self.wish
        over = self.locked_down or not self.two or not self.may(name) or not self.now < until <= self.now + WAIT
        self.wish = None if over else self.wish

    def press(self, name: str, id_: str) -> str:
        if name in self.disabled:
            return "sign-in-required"
        self.tidy()
        if not self.may(name):
            return "forbidden"
        if self.locked_down:
            return "lockdown"
        if not self.two:
            return "wish-over"
        if (former := self.ids.get((name, id_))) is not None:
            if former == "acted":
                return "acted"
            return "pending" if self.wish is not None and self.wish[0] == former else "id-used"
        if self.wish is not None and self.wish[1] != name:
            self.wish, self.ids[name, id_] = None, "acted"
            return "agreed"
        if self.wish is None:
            if not any(other != name and self.may(other) for other in NAMES):
                return "nobody-to-agree"
            self.wish = (f"{name}-{id_}", name, self.now + WAIT)
        self.ids[name, id_] = self.wish[0]
        return "pending"


@given(STEPS)
@settings(max_examples=30)
def test_it_lives_as_the_plain_model_says(migrated: Path, steps: list[Step]) -> None:
    asyncio.run(_live(migrated, steps))


async def _live(migrated: Path, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated, Path(folder) / "auth.sqlite3")
        store = await open_store(f"sqlite+aiosqlite:///{folder}/auth.sqlite3")
        passwords, spool, clock = Passwords(b"a pepper for tests", rounds=4), Spool(Path(folder) / "spool"), Clock()
        try:
            proof = Proof(spool, now=clock)
            house = House(store, proof, spool, clock, Accounts(store, proof, passwords, (), now=clock))
            await house.furnish()
            await _compare(house, steps)
        finally:
            passwords.close()
            spool.close()
            await store.close()


async def _compare(house: House, steps: list[Step]) -> None:
    model, agreed = Model(), 0
    for step in steps:
        if step[0] == "press":
            agreed += await _press_both(house, model, NAMES[step[1]], step[2]) == "agreed"
        else:
            await _change_both(house, model, *step[:2])
        await house.watch.sweep(local=house.clock().astimezone(ZONE))
        model.tidy()
        standing = [(one.id, one.by.id) for one in await house.standing()]
        assert standing == ([] if model.wish is None else [(model.wish[0], house.people[model.wish[1]].id)])
    assert sum(line.startswith("agreed ") for line in house.told()) == agreed


async def _press_both(house: House, model: Model, name: str, number: int) -> str:
    if name not in model.disabled:  # whatever hour it is by now, they are signed in
        house.tokens[name] = await house.sit(name)
    wanted = model.press(name, str(number))
    try:
        found: str = (await house.press(name, f"{name}-{number}")).outcome
    except HomeError as error:
        found = error.slug
    assert found == wanted
    return found


async def _change_both(house: House, model: Model, what: str, number: int) -> None:
    if what == "back":
        standing = await house.standing()
        if standing and NAMES[number] not in model.disabled:
            await house.take_back(NAMES[number], standing[0])
            model.wish = None
    elif what == "wait":
        house.clock.forward(seconds=number)
        model.now = house.clock()
    elif what == "lockdown":
        model.locked_down = bool(number)
        await house.set_lockdown(active=bool(number))
    elif what == "way":
        model.two = bool(number)
        await house.confirm_by(ConfirmBy.TWO_PERSONS if number else ConfirmBy.DIALOG)
    elif NAMES[number] not in model.disabled:
        model.disabled.add(NAMES[number])
        await house.accounts.disable_user(house.people[NAMES[number]].email)
