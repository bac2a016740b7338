"""Appointments: announced, vetoed, carried out once at their time and judged anew then, and what ends one."""

import asyncio
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_service.home.pending_rules import GIVEN, GRACE
from auth_service.hub.accounts import Accounts
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.store import open_store
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal_proofs import ConfirmByChange
from shared.words.names import Action, ConfirmBy, Severity
from shared.words.pending import CameDue, PendingWish, Went
from shared.words.problem import HomeError
from tests.unit.auth_service.account.pending_house import HERE, ZONE, House, refused
from tests.unit.auth_service.parts import Clock

DELAY = timedelta(minutes=10)


@pytest.fixture
async def house(store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts) -> House:
    """Its door and its blind are used by appointment, ten minutes after the press."""
    made = House(store, proof, spool, clock, accounts)
    await _furnish(made)
    return made


async def _furnish(house: House) -> None:
    await house.furnish()
    house.way = ConfirmBy.APPOINTMENT
    for device in ("door", "blind"):
        await house.confirm_by(house.way, device)


async def appointed(house: House, name: str = "bea", id_: str = "b1", **more: Any) -> PendingWish:
    pressed = await house.press(name, id_, **more)
    assert pressed.outcome == "pending"
    assert pressed.wish is not None
    return pressed.wish


async def give(house: House, wish: PendingWish) -> PendingWish:
    """As the gateway does when its time has come."""
    due = CameDue(local=house.clock().astimezone(ZONE))
    return await house.appointments.give(wish.room, wish.device, wish.id, due)


async def is_over(house: House, wish: PendingWish) -> None:
    with pytest.raises(HomeError) as error:
        await give(house, wish)
    assert error.value.slug == "wish-over"


async def test_it_is_announced_and_goes_at_its_time_to_one_gateway_alone(house: House) -> None:
    wish = await appointed(house)
    assert (wish.due, wish.until) == (house.clock() + DELAY, house.clock() + DELAY + GRACE)
    (event,) = [one for one in house.spool.pending(500) if one.what == "device:appointed"]
    assert event.severity is Severity.CRITICAL, "which is a letter at once"
    assert event.detail == {"command": "b1", "action": "unlock", "due": wish.due and wish.due.isoformat()}
    await is_over(house, wish)
    house.clock.forward(seconds=DELAY.total_seconds())
    gateways = await asyncio.gather(*(give(house, wish) for _ in range(3)), return_exceptions=True)
    assert [one for one in gateways if isinstance(one, PendingWish)] == [wish]
    await house.appointments.went("hall", "door", wish.id, Went())
    assert await house.standing() == []
    assert house.told() == ["appointed Bea"], "how it ended is the command's own record"


async def test_nobody_else_makes_it_come_sooner(house: House) -> None:
    wish = await appointed(house)
    assert (await appointed(house, "ada", "a1")) == wish, "who wants the same hears of the one that stands"
    assert (await house.press("bea", "b1")).wish == wish
    house.clock.forward(minutes=1)
    assert (await appointed(house, "bea", "b2")) == wish
    await refused(house, "wish-over", "ada", "a2", agrees_to="another")
    assert house.told() == ["appointed Bea"]


@pytest.mark.parametrize("name", ["ada", "bea", "cy"])
async def test_whoever_may_use_it_vetoes_it_once_and_it_is_told(house: House, name: str) -> None:
    wish = await appointed(house)
    both = await asyncio.gather(house.take_back(name, wish), house.take_back("ada", wish), return_exceptions=True)
    assert sum(one is None for one in both) == 1
    house.clock.forward(seconds=DELAY.total_seconds())
    await is_over(house, wish)
    assert [line.split()[0] for line in house.told()] == ["appointed", "vetoed"]
    assert {one.severity for one in house.spool.pending(500) if one.what == "device:vetoed"} == {Severity.CRITICAL}
    await refused(house, "id-used", "bea", "b1")


async def test_a_veto_in_the_very_moment_of_its_time_is_one_of_both(house: House) -> None:
    wish = await appointed(house)
    house.clock.forward(seconds=DELAY.total_seconds())
    both = await asyncio.gather(give(house, wish), house.take_back("ada", wish), return_exceptions=True)
    assert sum(isinstance(one, HomeError) and one.slug == "wish-over" for one in both) == 1
    assert (house.told()[-1] == "vetoed Ada") is isinstance(both[0], HomeError)


async def test_what_could_not_go_within_five_seconds_does_not_go_and_is_told(house: House) -> None:
    wish = await appointed(house)
    house.clock.forward(seconds=(DELAY + GRACE).total_seconds())
    await is_over(house, wish)
    assert house.told() == ["appointed Bea", "appointment-dropped missed"]
    (event,) = [one for one in house.spool.pending(500) if one.what == "device:appointment-dropped"]
    assert event.severity is Severity.CRITICAL
    assert event.detail["user"] == "Bea"


async def _end_all(house: House) -> None:
    async with house.store.write() as connection:
        await session_rows.end_all(connection, house.people["bea"].id, "password-changed", house.clock())


async def _set(house: House, **by: float) -> None:
    house.clock.set(**by)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda house: house.set_lockdown(active=True), "lockdown"),
        (lambda house: house.confirm_by(ConfirmBy.TWO_PERSONS), "device-changed"),
        (lambda house: house.accounts.disable_user("bea@example.org"), "rights-changed"),
        (lambda house: house.accounts.revoke_identity("hall"), "device-changed"),
        (lambda house: house.sign_out("bea"), "session-ended"),
        (_end_all, "session-ended"),
        (lambda house: _set(house, minutes=3), "clock"),
        (lambda house: _set(house, minutes=-3), "clock"),
        (lambda house: house.watch.drop_all("hub-restarted"), "hub-restarted"),
    ],
)
async def test_what_ends_it_meanwhile(house: House, change: Any, why: str) -> None:
    wish = await appointed(house)
    await change(house)
    house.clock.forward(seconds=DELAY.total_seconds())
    await is_over(house, wish)
    assert await house.standing() == []
    assert house.told() == ["appointed Bea", f"appointment-dropped {why}"]


async def test_another_session_of_the_same_person_ends_and_nothing_with_it(house: House) -> None:
    other = await house.sit("bea")
    wish = await appointed(house)
    async with house.store.write() as connection:
        await session_rows.end_token(connection, other, house.clock())
    house.clock.forward(seconds=DELAY.total_seconds())
    assert await give(house, wish) == wish


async def test_a_step_up_gives_the_session_another_token_and_the_appointment_goes_on(house: House) -> None:
    wish = await appointed(house)
    async with house.store.write() as connection:
        assert await session_rows.prove(connection, house.tokens["bea"], house.clock()) is not None
    house.clock.forward(seconds=DELAY.total_seconds())
    assert await give(house, wish) == wish


async def test_a_guest_whose_hour_is_over_by_then_has_nothing_done(house: House) -> None:
    hour = house.clock().astimezone(ZONE)
    house.clock.forward(seconds=(hour.replace(hour=17, minute=55) - hour).total_seconds() % 86400)
    house.tokens["cy"] = await house.sit("cy")
    wish = await appointed(house, "cy", "c1")
    await house.watch.sweep()
    house.clock.forward(seconds=DELAY.total_seconds())
    await is_over(house, wish)
    assert house.told()[-1] == "appointment-dropped rights-changed"


async def test_a_gateway_that_dies_with_it_is_told_of_and_nobody_else_gets_it(house: House) -> None:
    wish = await appointed(house)
    house.clock.forward(seconds=DELAY.total_seconds())
    await give(house, wish)
    await is_over(house, wish)
    with pytest.raises(HomeError) as error:
        await house.take_back("ada", wish)
    assert error.value.slug == "wish-over", "it is under way"
    await refused(house, "other-wish-pending", "bea", "b2", device="door", action=Action.UNLOCK, value=1)
    assert house.told() == ["appointed Bea"]
    house.clock.forward(seconds=GIVEN.total_seconds())
    await house.watch.sweep()
    assert house.told()[-1] == "appointment-unknown gateway-lost"
    assert (await house.press("bea", "b1")).outcome == "acted", "the room is asked how it ended"


async def test_a_start_of_the_service_in_the_middle_says_that_nobody_knows(house: House) -> None:
    wish = await appointed(house)
    house.clock.forward(seconds=DELAY.total_seconds())
    await give(house, wish)
    await house.watch.drop_all("hub-restarted")
    assert house.told()[-1] == "appointment-unknown gateway-lost"


async def test_a_lockdown_does_not_call_undone_what_is_under_way(house: House) -> None:
    wish = await appointed(house)
    house.clock.forward(seconds=DELAY.total_seconds())
    await give(house, wish)
    await house.set_lockdown(active=True)
    await house.watch.sweep()
    assert house.told() == ["appointed Bea"]


async def test_why_nothing_was_sent_is_told_once(house: House) -> None:
    wish = await appointed(house)
    house.clock.forward(seconds=DELAY.total_seconds())
    await give(house, wish)
    for _ in range(2):
        await house.appointments.went("hall", "door", wish.id, Went(reason="room-offline"))
    assert house.told() == ["appointed Bea", "appointment-dropped room-offline"]


async def test_nobody_says_it_went_who_was_not_given_it(house: House) -> None:
    wish = await appointed(house)
    await house.appointments.went("hall", "door", wish.id, Went(reason="room-offline"))
    assert await house.standing() == [wish]


async def test_what_waits_for_a_second_person_is_given_to_nobody(house: House) -> None:
    await house.confirm_by(ConfirmBy.TWO_PERSONS)
    pressed = await house.press("bea", "b1", confirm_by=ConfirmBy.TWO_PERSONS)
    assert pressed.wish is not None
    await is_over(house, pressed.wish)
    await house.appointments.went("hall", "door", "b1", Went())
    assert await house.standing() == [pressed.wish]


async def test_who_pressed_for_two_persons_makes_no_appointment_instead(house: House) -> None:
    await refused(house, "wish-over", "bea", "b1", confirm_by=ConfirmBy.TWO_PERSONS)
    await house.confirm_by(ConfirmBy.TWO_PERSONS)
    await refused(house, "wish-over", "bea", "b2", confirm_by=ConfirmBy.APPOINTMENT)
    assert house.told() == []


async def test_who_thinks_better_of_it_waits_anew_and_nobody_else_changes_it(house: House) -> None:
    first = await appointed(house, "bea", "b1", device="blind", action=Action.SET, value=50)
    house.clock.forward(minutes=5)
    await refused(house, "other-wish-pending", "ada", "a1", device="blind", action=Action.SET, value=100)
    second = await appointed(house, "bea", "b2", device="blind", action=Action.SET, value=100)
    assert second.due == house.clock() + DELAY
    house.clock.forward(minutes=5)
    await is_over(house, first)
    house.clock.forward(minutes=5)
    assert (await give(house, second)).value == 100


async def test_only_who_proved_who_they_are_changes_the_delay_of_a_critical_device(house: House) -> None:
    async def change(**more: Any) -> Any:
        wanted = ConfirmByChange(token=house.tokens["ada"], address=HERE, **more)
        room = await house.ways.change("hall", "door", wanted, "gateway-1")
        return next((one.confirm_by, one.delay_minutes) for one in room.devices if one.id == "door")

    async def is_refused(slug: str, **more: Any) -> None:
        with pytest.raises(HomeError) as error:
            await change(**more)
        assert error.value.slug == slug

    assert await change(confirm_by=ConfirmBy.APPOINTMENT, delay_minutes=10) == (ConfirmBy.APPOINTMENT, 10)
    await is_refused("step-up-required", confirm_by=ConfirmBy.APPOINTMENT, delay_minutes=1)
    await is_refused("step-up-required", confirm_by=ConfirmBy.DIALOG)
    await is_refused("invalid-value", confirm_by=ConfirmBy.STEP_UP, delay_minutes=5)
    async with house.store.write() as connection:
        token = await session_rows.prove(connection, house.tokens["ada"], house.clock())
    assert token is not None
    house.tokens["ada"] = token
    assert await change(confirm_by=ConfirmBy.APPOINTMENT, delay_minutes=30) == (ConfirmBy.APPOINTMENT, 30)
    assert await change(confirm_by=ConfirmBy.APPOINTMENT, delay_minutes=1) == (ConfirmBy.APPOINTMENT, 1)
    assert await change(confirm_by=ConfirmBy.STEP_UP) == (ConfirmBy.STEP_UP, 1)
    assert await change(confirm_by=ConfirmBy.APPOINTMENT) == (ConfirmBy.APPOINTMENT, 1), "as it was"
    changes = [one for one in house.spool.pending(500) if one.what.startswith("device:confirm-")]
    assert [
        (one.what.removeprefix("device:confirm-"), one.detail["before"], one.detail["stands"]) for one in changes
    ] == [
        ("tightened", "appointment of 10 min", "appointment of 30 min"),
        ("loosened", "appointment of 30 min", "appointment of 1 min"),
        ("tightened", "appointment of 1 min", "step-up"),
        ("loosened", "step-up", "appointment of 1 min"),
    ]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("press"), st.sampled_from(["ada", "bea"])),
        st.tuples(st.just("veto"), st.sampled_from(["ada", "bea"])),
        st.tuples(st.just("wait"), st.sampled_from([1, 4, 299, 300, 590])),
        st.tuples(st.just("set"), st.sampled_from([-120, -1, 1, 120])),
        st.tuples(st.just("lockdown"), st.booleans()),
        st.tuples(st.just("give"), st.just(None)),
        st.tuples(st.just("went"), st.just(None)),
    ),
    max_size=14,
)


@given(STEPS)
@settings(max_examples=30, deadline=None)
def test_whatever_happens_it_goes_once_within_five_seconds_of_what_was_announced(
    migrated: Path, steps: list[tuple[str, Any]]
) -> None:
    asyncio.run(_live(migrated, steps))


async def _live(migrated: Path, steps: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated, Path(folder) / "auth.sqlite3")
        store = await open_store(f"sqlite+aiosqlite:///{folder}/auth.sqlite3")
        passwords, spool, clock = Passwords(b"a pepper for tests", rounds=4), Spool(Path(folder) / "spool"), Clock()
        try:
            proof = Proof(spool, now=clock)
            house = House(store, proof, spool, clock, Accounts(store, proof, passwords, (), now=clock))
            await _furnish(house)
            await _walk(house, steps)
        finally:
            passwords.close()
            spool.close()
            await store.close()


class Walk:
    """`pressed` has, of each wish, the steady seconds at its press; by these alone is judged when it went."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.pressed: dict[str, float] = {}
        self.given: list[str] = []
        self.ended: set[str] = set()
        self.number = 0

    async def press(self, name: str, _standing: list[PendingWish]) -> None:
        self.number += 1
        wish = (await self.house.press(name, f"{name}-{self.number}")).wish
        assert wish is not None
        self.pressed.setdefault(wish.id, self.house.clock.steady())

    async def veto(self, name: str, standing: list[PendingWish]) -> None:
        for wish in standing:
            await self.house.take_back(name, wish)
            self.ended.add(wish.id)

    async def wait(self, seconds: float, _standing: list[PendingWish]) -> None:
        self.house.clock.forward(seconds=seconds)

    async def set(self, seconds: float, _standing: list[PendingWish]) -> None:
        self.house.clock.set(seconds=seconds)

    async def lockdown(self, active: bool, standing: list[PendingWish]) -> None:
        await self.house.set_lockdown(active=active)
        if active:
            self.ended |= {one.id for one in standing if one.id not in self.given}

    async def give(self, _how: None, standing: list[PendingWish]) -> None:
        for wish in standing:
            await give(self.house, wish)
            waited = self.house.clock.steady() - self.pressed[wish.id]
            slack = 14  # each setting of a second may pass for drift
            assert DELAY.total_seconds() - slack <= waited <= (DELAY + GRACE).total_seconds() + slack
            assert wish.id not in self.ended
            self.given.append(wish.id)

    async def went(self, _how: None, standing: list[PendingWish]) -> None:
        for wish in standing:
            await self.house.appointments.went("hall", "door", wish.id, Went())


async def _walk(house: House, steps: list[tuple[str, Any]]) -> None:
    walk, refusals = Walk(house), set[str]()
    for what, how in steps:
        try:
            await getattr(walk, what)(how, await house.standing())
        except HomeError as error:
            refusals.add(error.slug)
    assert refusals <= {"wish-over", "lockdown", "sign-in-required"}
    assert len(walk.given) == len(set(walk.given)), "none goes twice"
