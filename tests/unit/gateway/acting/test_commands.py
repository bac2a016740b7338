"""Commands under way: each caller gets exactly one answer, and never "executed" without the room's word."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.acting.commands import Commands
from gateway.acting.proof import Proof
from gateway.acting.used import Written
from gateway.acting.verdicts import Executed
from gateway.acting.wish import Wish
from gateway.picture.devices import Device
from gateway.picture.home import Home
from shared.proof.spool import Spool
from shared.words import messages
from shared.words.internal import LockdownState, RegisteredDevice, RegisteredRoom, Registry
from shared.words.messages import Acknowledgement, Availability, Command, UserRef
from shared.words.names import Action, Kind, Outcome, Severity
from shared.words.problem import CATALOGUE, HomeError
from tests.house import DEADLINE

ADA = UserRef(id="u-ada", name="Ada")
BEN = UserRef(id="u-ben", name="Ben")
NOW = messages.utc(1_800_000_000)


class FakeBroker:
    """Keeps what was published; the test says what the broker answers."""

    identity = "gateway"

    def __init__(self) -> None:
        self.connected = True
        self.sent: list[tuple[str, Command]] = []
        self.pubacks: list[asyncio.Future[int]] = []
        self.expiries: list[float | None] = []
        self.published = asyncio.Event()

    def post(
        self, topic: str, payload: bytes, *, expiry: float | None, confirmed: Callable[[int | None], None]
    ) -> None:
        if not self.connected:
            raise HomeError("broker-unreachable")
        self.sent.append((topic, messages.decode(Command, payload)))
        self.expiries.append(expiry)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda puback: _tell(confirmed, puback))
        self.pubacks.append(future)
        self.published.set()


def _tell(confirmed: Callable[[int | None], None], puback: asyncio.Future[int]) -> None:
    confirmed(None if puback.cancelled() or puback.exception() else puback.result())


class BrokenSpool(Spool):
    """A disk that is full."""

    broken = True

    def append(self, *events: messages.AuditEvent, **options: Any) -> tuple[messages.AuditEvent, ...]:
        if self.broken:
            raise HomeError("no-proof", "the disk is full")
        return super().append(*events, **options)


class House:
    """Commands on a fake broker, with a real spool."""

    def __init__(self, spool: Spool, *, wait_seconds: float = 60.0) -> None:
        self.broker = FakeBroker()
        self.spool = spool
        self.home = Home()
        self.room_proves = True
        self.unknown: list[tuple[str, str]] = []
        self.before: list[int] = []
        self.time = 0.0
        self.proof = Proof(spool, issuer="gateway", urgent=lambda _events: None)
        self.commands = Commands(
            self.broker,
            self.home,
            self.proof,
            before_send=lambda: self.before.append(len(self.broker.sent)),
            on_unknown=lambda wish, reason: self.unknown.append((wish.id, reason)),
            wait_seconds=wait_seconds,
            now=lambda: self.time,
            wall=lambda: 1_800_000_000.0 + self.time,
        )
        devices = (
            RegisteredDevice(id="lamp", name="Lamp", kind=Kind.SWITCH, critical=False, confirm=False),
            RegisteredDevice(id="front-door", name="Front door", kind=Kind.LOCK, critical=True, confirm=True),
        )
        self.home.set_registry(Registry(rooms=(RegisteredRoom(id="hall", name="Hall", devices=devices),)))
        self.come_online()

    def come_online(self, session: str = "s1") -> None:
        said = Availability(status="online", at=NOW, session=session)
        self.home.hear_availability("hall", said, retained=False, now=0.0)

    def go_offline(self) -> None:
        self.home.hear_availability(
            "hall", Availability(status="offline", at=NOW, session="s1"), retained=False, now=1.0
        )
        self.commands.lose_room("hall")

    def device(self, name: str) -> Device:
        found = self.home.device("hall", name)
        assert found is not None
        # As a room describes itself that counts its own door critical.
        return msgspec.structs.replace(found, room_proves=found.critical and self.room_proves)

    def wish(
        self,
        action: Action = Action.ON,
        *,
        device: str = "lamp",
        command_id: str = "c1",
        user: UserRef = ADA,
        age: float = 0.0,
    ) -> Wish:
        return Wish(
            id=command_id,
            user=user,
            device=self.device(device),
            action=action,
            value=None,
            origin="192.0.2.7",
            issued_at=1_800_000_000.0 + self.time - age,
        )

    def acknowledge(
        self,
        outcome: Outcome = Outcome.EXECUTED,
        *,
        reason: str | None = None,
        command_id: str = "c1",
        device: str = "lamp",
        repeated: bool = False,
    ) -> None:
        said = Acknowledgement(id=command_id, outcome=outcome, reason=reason, at=NOW, repeated=repeated)
        self.commands.hear("hall", device, said)

    async def until_sent(self, count: int = 1) -> None:
        """Wait until so many commands are out."""
        async with asyncio.timeout(DEADLINE):
            while len(self.broker.sent) < count:
                self.broker.published.clear()
                await self.broker.published.wait()

    async def recorded(self) -> list[tuple[str, Outcome, Severity, str | None]]:
        """What ended up in the spool."""
        await self.commands.settled()
        task = asyncio.create_task(self.proof.run())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return [(e.what, e.outcome, e.severity, e.detail.get("reason")) for e in self.spool.pending(100)]


async def settle_all(*tasks: "asyncio.Task[Executed]") -> list[Any]:
    return list(await asyncio.gather(*tasks, return_exceptions=True))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(Spool(tmp_path / "spool.sqlite3"))


async def test_an_executed_command_answers_with_the_rooms_word(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    topic, command = house.broker.sent[0]
    assert topic == "home/hall/lamp/set/gateway"
    assert (command.action, command.id, command.user, command.origin) == (Action.ON, "c1", ADA, "192.0.2.7")
    assert command.issued == 1_800_000_000.0
    assert house.broker.expiries == [5.0]
    assert not asked.done()
    house.acknowledge()
    assert (await asked).outcome == "executed"
    assert await house.recorded() == [("device:on", Outcome.EXECUTED, Severity.INFO, None)]


async def test_a_puback_alone_is_no_answer(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.broker.pubacks[0].set_result(0)
    await asyncio.sleep(0)
    assert not asked.done()
    house.acknowledge()
    await asked


@pytest.mark.parametrize(
    ("outcome", "reason", "slug", "status"),
    [
        (Outcome.REJECTED, "interlocked", "interlocked", 409),
        (Outcome.REJECTED, "malformed", "malformed", 409),
        (Outcome.REJECTED, "something-new", "rejected", 409),
        (Outcome.REJECTED, None, "rejected", 409),
        (Outcome.FAILED, "pin-failed", "pin-failed", 502),
        (Outcome.FAILED, None, "failed", 502),
        (Outcome.EXPIRED, None, "expired", 504),
        (Outcome.EXPIRED, "unstamped", "expired", 504),
    ],
)
async def test_what_the_room_refuses_is_told(
    house: House, outcome: Outcome, reason: str | None, slug: str, status: int
) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.acknowledge(outcome, reason=reason)
    with pytest.raises(HomeError) as refused:
        await asked
    assert (refused.value.slug, refused.value.status) == (slug, status)
    assert refused.value.facts == {"id": "c1", "outcome": outcome, "reason": reason or slug}


async def refusal_with(house: House, detail: str | None) -> HomeError:
    """How the lamp's refusal reads, with this sentence of its room."""
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.commands.hear(
        "hall",
        "lamp",
        Acknowledgement(id="c1", outcome=Outcome.REJECTED, reason="too-soon", detail=detail, at=NOW),
    )
    with pytest.raises(HomeError) as refused:
        await asked
    return refused.value


async def test_the_rooms_own_sentence_is_the_detail_of_its_refusal(house: House) -> None:
    refused = await refusal_with(house, "The lamp rests for 42 s more.")
    assert (refused.slug, refused.detail) == ("too-soon", "The lamp rests for 42 s more.")


@pytest.mark.parametrize("detail", [None, "", "\u202e \r\n"])
async def test_without_a_sentence_the_catalogue_advises(house: House, detail: str | None) -> None:
    assert (await refusal_with(house, detail)).detail == CATALOGUE["too-soon"].advice


async def test_the_rooms_sentence_is_one_plain_line(house: House) -> None:
    refused = await refusal_with(house, "one\r\ntwo\u202e <b>three</b>" + "x" * 300)
    assert refused.detail.startswith("one two <b>three</b>x")
    assert len(refused.detail) == 200


async def test_a_room_that_is_away_gets_nothing(house: House) -> None:
    house.go_offline()
    for wish in (house.wish(), house.wish(Action.UNLOCK, device="front-door")):
        with pytest.raises(HomeError, match="room-offline"):
            await house.commands.execute(wish)
    assert house.broker.sent == []
    assert await house.recorded() == [], "there was never anything to prove"


async def test_a_broker_that_is_away_gets_nothing(house: House) -> None:
    house.broker.connected = False
    with pytest.raises(HomeError, match="broker-unreachable"):
        await house.commands.execute(house.wish())
    assert house.broker.sent == []


async def test_of_rooms_that_went_with_the_broker_it_is_the_broker_that_is_named(house: House) -> None:
    # Without it nobody knows of any room: "check the room's power" would send people the wrong way.
    house.go_offline()
    house.broker.connected = False
    for wish in (
        house.wish(),
        house.wish(Action.UNLOCK, device="front-door"),
        house.wish(Action.LOCK, device="front-door"),
    ):
        with pytest.raises(HomeError, match="broker-unreachable") as refused:
            await house.commands.execute(wish)
        assert "outcome" not in refused.value.facts, "nothing was sent"
    assert house.broker.sent == []


async def test_nobody_listening_is_room_offline_at_once(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.broker.pubacks[0].set_result(16)
    with pytest.raises(HomeError, match="room-offline") as refused:
        await asked
    assert "outcome" not in refused.value.facts, "nothing was done"


async def test_a_refusing_broker_is_told(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.broker.pubacks[0].set_result(135)
    with pytest.raises(HomeError, match="broker-unreachable"):
        await asked


async def test_no_answer_in_time_is_unknown_and_a_late_one_changes_nothing(tmp_path: Path) -> None:
    house = House(Spool(tmp_path / "spool.sqlite3"), wait_seconds=0.01)
    with pytest.raises(HomeError, match="unknown") as lost:
        await house.commands.execute(house.wish())
    assert lost.value.status == 504
    assert lost.value.facts == {"id": "c1", "outcome": Outcome.UNKNOWN, "reason": "no-answer"}
    house.acknowledge()
    assert house.unknown == [("c1", "no-answer")]
    assert await house.recorded() == [("device:on", Outcome.UNKNOWN, Severity.INFO, "no-answer")]


async def test_a_room_that_goes_takes_its_answers_with_it(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.go_offline()
    with pytest.raises(HomeError, match="unknown"):
        await asked


async def test_a_lost_link_is_unknown_at_once(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.broker.pubacks[0].set_exception(HomeError("broker-unreachable"))
    with pytest.raises(HomeError, match="unknown") as lost:
        await asked
    assert lost.value.facts["outcome"] == Outcome.UNKNOWN


async def test_a_repeat_under_way_joins_and_is_sent_once(house: House) -> None:
    first = asyncio.create_task(house.commands.execute(house.wish()))
    second = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.acknowledge()
    assert await first == await second
    assert len(house.broker.sent) == 1
    assert len(await house.recorded()) == 1


@pytest.mark.parametrize("age", [0.0, 60.0])
async def test_a_repeat_afterwards_gets_the_recorded_answer_whatever_its_age(house: House, age: float) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.acknowledge()
    house.go_offline()
    assert await house.commands.execute(house.wish(age=age)) == await asked
    assert len(house.broker.sent) == 1


async def test_a_repeated_refusal_is_refused_alike(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.acknowledge(Outcome.REJECTED, reason="interlocked")
    first, second = await settle_all(asked, asyncio.create_task(house.commands.execute(house.wish())))
    assert (first.slug, first.facts) == (second.slug, second.facts)
    assert len(house.broker.sent) == 1


async def test_what_was_not_sent_may_be_asked_for_again(house: House) -> None:
    house.broker.connected = False
    with pytest.raises(HomeError, match="broker-unreachable"):
        await house.commands.execute(house.wish())
    house.broker.connected = True
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.acknowledge()
    assert (await asked).outcome == "executed"


async def unlock(house: House, *, age: float = 0.0, command_id: str = "c1") -> "asyncio.Task[Executed]":
    """The front door, asked for and on its way."""
    before = len(house.broker.sent)
    wish = house.wish(Action.UNLOCK, device="front-door", age=age, command_id=command_id)
    asked = asyncio.create_task(house.commands.execute(wish))
    await house.until_sent(before + 1)
    return asked


async def lose(house: House) -> None:
    """The front door is asked for, and no answer comes."""
    asked = await unlock(house)
    house.commands.lose_all("link-lost")
    with pytest.raises(HomeError, match="unknown"):
        await asked


def after_restart(house: House) -> House:
    """Another gateway process on the same spool."""
    return House(house.spool)


def as_it_is(house: House) -> House:
    return house


LATER = pytest.mark.parametrize("later", [as_it_is, after_restart])


@LATER
@pytest.mark.parametrize("age", [0.0, 60.0])
async def test_a_used_critical_id_asks_its_room_only_how_it_ended(
    house: House, later: Callable[[House], House], age: float
) -> None:
    await lose(house)
    again = later(house)
    asked = await unlock(again, age=age)
    assert again.broker.sent[-1][1].recall
    again.acknowledge(device="front-door", repeated=True)
    assert (await asked).outcome == "executed"
    assert [outcome for _, outcome, _, _ in await again.recorded()] == [Outcome.ASKED], "nothing was asked for anew"


@LATER
async def test_a_used_critical_id_whose_answer_is_gone_is_refused(
    house: House, later: Callable[[House], House]
) -> None:
    await lose(house)
    again = later(house)
    asked = await unlock(again)
    again.acknowledge(Outcome.REJECTED, device="front-door", reason="id-used")
    for attempt in (asked, again.commands.execute(again.wish(Action.UNLOCK, device="front-door"))):
        with pytest.raises(HomeError, match="id-used") as refused:
            await attempt
        assert refused.value.status == 409
        assert refused.value.facts == {"id": "c1", "outcome": Outcome.REJECTED, "reason": "id-used"}
    told = ("device:unlock", Outcome.REJECTED, Severity.CRITICAL, "id-used")
    assert (await again.recorded()).count(told) == 1


@LATER
async def test_a_used_critical_id_is_asked_for_in_vain_while_its_room_is_away(
    house: House, later: Callable[[House], House]
) -> None:
    await lose(house)
    again = later(house)
    again.go_offline()
    with pytest.raises(HomeError, match="room-offline"):
        await again.commands.execute(again.wish(Action.UNLOCK, device="front-door", age=60.0))
    again.come_online("s2")
    await unlock(again)
    assert again.broker.sent[-1][1].recall, "it is no free id for that"


async def test_a_used_critical_id_of_an_earlier_process_serves_no_other_wish(house: House) -> None:
    await lose(house)
    again = after_restart(house)
    again.room_proves = False
    other = msgspec.structs.replace(again.wish(Action.UNLOCK, device="front-door"), value=1)
    for _ in range(2):
        with pytest.raises(HomeError, match="id-reused") as refused:
            await again.commands.execute(other)
        assert (refused.value.status, refused.value.facts["outcome"]) == (409, Outcome.REJECTED)
    assert again.broker.sent == []
    reused = ("device:unlock", Outcome.REJECTED, Severity.SECURITY, "id-reused")
    assert (await again.recorded()).count(reused) == 1
    await unlock(again)
    assert again.broker.sent[-1][1].recall, "it still is the first wish's"


async def test_a_refusal_in_a_lockdown_makes_no_used_id_free(house: House) -> None:
    await lose(house)
    again = after_restart(house)
    again.home.set_lockdown(LockdownState(active=True, at=NOW))
    with pytest.raises(HomeError, match="lockdown"):
        await again.commands.execute(again.wish(Action.UNLOCK, device="front-door"))
    again.home.set_lockdown(LockdownState(active=False, at=NOW))
    await unlock(again)
    assert again.broker.sent[-1][1].recall


async def test_what_was_critical_and_not_sent_may_be_asked_for_again(house: House) -> None:
    house.broker.connected = False
    for _ in range(2):
        with pytest.raises(HomeError, match="broker-unreachable"):
            await house.commands.execute(house.wish(Action.UNLOCK, device="front-door"))
    house.broker.connected = True
    asked = await unlock(house)
    assert not house.broker.sent[-1][1].recall
    house.acknowledge(device="front-door")
    assert (await asked).outcome == "executed"
    outcomes = [outcome for _, outcome, _, _ in await house.recorded()]
    assert outcomes.count(Outcome.ASKED) == 3, "each attempt leaves its intent"


async def test_a_plain_id_without_an_answer_moves_its_device_when_it_is_asked_for_again_in_time(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.commands.lose_all("link-lost")
    await settle_all(asked)
    for count, (age, recall) in enumerate(((0.0, False), (60.0, True)), 2):
        asked = asyncio.create_task(house.commands.execute(house.wish(age=age)))
        await house.until_sent(count)
        assert house.broker.sent[-1][1].recall is recall
        house.commands.lose_all("link-lost")
        await settle_all(asked)


async def test_what_came_by_another_gateway_before_ends_here_as_it_did_there(house: House) -> None:
    asked = await unlock(house)
    house.acknowledge(device="front-door", repeated=True)
    assert (await asked).outcome == "executed"
    assert [(outcome, reason) for _, outcome, _, reason in await house.recorded()] == [
        (Outcome.ASKED, None),
        (Outcome.EXECUTED, "repeated"),
    ]


@pytest.mark.parametrize("online", [True, False])
async def test_a_new_wish_that_lay_about_for_too_long_expires_unsent(house: House, online: bool) -> None:
    if not online:
        house.go_offline()
    for age in (5.1, 0.0):
        with pytest.raises(HomeError, match="expired") as late:
            await house.commands.execute(house.wish(Action.UNLOCK, device="front-door", age=age))
        assert late.value.status == 504
        assert late.value.facts == {"id": "c1", "outcome": Outcome.EXPIRED, "reason": "expired"}
    assert house.broker.sent == []
    assert await house.recorded() == [("device:unlock", Outcome.EXPIRED, Severity.CRITICAL, "expired")]


async def test_five_seconds_are_not_too_long(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish(age=4.9)))
    await house.until_sent()
    assert house.broker.sent[0][1].issued == 1_800_000_000.0 - 4.9, "the room judges the moment, not the arrival"
    house.acknowledge()
    await asked


@pytest.mark.parametrize(("action", "device"), [(Action.OFF, "lamp"), (Action.LOCK, "front-door")])
async def test_a_safe_action_is_never_too_late(house: House, action: Action, device: str) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish(action, device=device, age=60.0)))
    await house.until_sent()
    assert house.broker.sent[0][1].issued == 1_800_000_000.0, "or its room would let it expire"
    house.acknowledge(device=device)
    assert (await asked).outcome == "executed"


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize(("action", "user"), [(Action.OFF, ADA), (Action.ON, BEN)])
async def test_an_id_serves_one_wish_only(house: House, settled: bool, action: Action, user: UserRef) -> None:
    first = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    if settled:
        house.acknowledge()
        await first
    with pytest.raises(HomeError, match="id-reused"):
        await house.commands.execute(house.wish(action, user=user))
    house.acknowledge()
    await first
    assert len(house.broker.sent) == 1
    assert ("device:" + action, Outcome.REJECTED, Severity.SECURITY, "id-reused") in await house.recorded()


async def test_a_user_who_repeats_ids_is_refused_each_time_and_told_of_once_a_minute(house: House) -> None:
    first = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()

    async def reuse(user: UserRef) -> int:
        with pytest.raises(HomeError, match="id-reused") as refused:
            await house.commands.execute(house.wish(Action.OFF, user=user))
        return refused.value.status

    assert [await reuse(BEN) for _ in range(24)] == [409] * 24
    await reuse(ADA)
    house.time += 60.0
    await reuse(BEN)
    house.acknowledge()
    await first
    assert [reason for *_, reason in await house.recorded()].count("id-reused") == 3


async def test_a_critical_command_leaves_its_intent_before_it_is_sent(house: House) -> None:
    seen: list[int] = []
    post = house.broker.post

    def watched(topic: str, payload: bytes, *, expiry: float | None, confirmed: Callable[[int | None], None]) -> None:
        seen.append(len(house.spool.pending(10)))
        post(topic, payload, expiry=expiry, confirmed=confirmed)

    house.broker.post = watched  # type: ignore[method-assign]  # looks over the shoulder
    asked = asyncio.create_task(house.commands.execute(house.wish(Action.UNLOCK, device="front-door")))
    await house.until_sent()
    assert seen == [1]
    house.acknowledge(device="front-door")
    await asked
    assert await house.recorded() == [("device:unlock", Outcome.ASKED, Severity.CRITICAL, None)]


async def test_the_outcome_at_a_device_that_only_the_hub_counts_critical_is_recorded_here(house: House) -> None:
    house.room_proves = False
    asked = asyncio.create_task(house.commands.execute(house.wish(Action.UNLOCK, device="front-door")))
    await house.until_sent()
    house.acknowledge(device="front-door")
    await asked
    assert [outcome for _, outcome, _, _ in await house.recorded()] == [Outcome.ASKED, Outcome.EXECUTED]


async def test_without_proof_nothing_is_sent(tmp_path: Path) -> None:
    spool = BrokenSpool(tmp_path / "spool.sqlite3")
    house = House(spool)
    with pytest.raises(HomeError, match="no-proof"):
        await house.commands.execute(house.wish(Action.UNLOCK, device="front-door"))
    assert house.broker.sent == []
    spool.broken = False
    assert await house.recorded() == [("device:unlock", Outcome.REJECTED, Severity.CRITICAL, "no-proof")]


async def test_a_safe_action_needs_no_proof_and_is_recorded_later(tmp_path: Path) -> None:
    spool = BrokenSpool(tmp_path / "spool.sqlite3")
    house = House(spool)
    asked = asyncio.create_task(house.commands.execute(house.wish(Action.LOCK, device="front-door")))
    await house.until_sent()
    house.acknowledge(device="front-door")
    assert (await asked).outcome == "executed"
    spool.broken = False
    assert await house.recorded() == [("device:lock", Outcome.ASKED, Severity.CRITICAL, None)]


async def test_a_safe_action_that_is_sent_again_after_no_answer_is_asked_for_once(house: House) -> None:
    """Or a letter would wait for the outcome of a second attempt, long after the room told how it ended."""
    lock = house.wish(Action.LOCK, device="front-door")
    for attempt in (1, 2):
        asked = asyncio.create_task(house.commands.execute(lock))
        await house.until_sent(attempt)
        if attempt == 1:
            house.commands.lose_room("hall")
            with pytest.raises(HomeError, match="unknown"):
                await asked
    house.acknowledge(device="front-door")
    assert (await asked).outcome == "executed"
    outcomes = [outcome for _, outcome, _, _ in await house.recorded()]
    assert outcomes == [Outcome.ASKED]


async def test_a_room_lost_while_the_intent_is_written_gets_nothing(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish(Action.UNLOCK, device="front-door")))
    await asyncio.sleep(0)
    house.go_offline()
    with pytest.raises(HomeError, match="room-offline"):
        await asked
    assert house.broker.sent == []
    assert [outcome for _, outcome, _, _ in await house.recorded()] == [Outcome.ASKED, Outcome.REJECTED]


async def test_a_caller_who_leaves_does_not_stop_the_record(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    asked.cancel()
    await settle_all(asked)
    house.acknowledge()
    assert await house.recorded() == [("device:on", Outcome.EXECUTED, Severity.INFO, None)]


async def test_a_caller_who_leaves_takes_no_answer_from_another_who_asked_the_same(house: House) -> None:
    first, second = (asyncio.create_task(house.commands.execute(house.wish())) for _ in range(2))
    await house.until_sent()
    first.cancel()
    await settle_all(first)
    assert not second.done()
    house.acknowledge()
    assert (await second).outcome == "executed"


async def test_an_acknowledgement_from_another_device_or_room_is_no_answer(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.acknowledge(Outcome.REJECTED, device="front-door")
    house.commands.hear("garage", "lamp", Acknowledgement(id="c1", outcome=Outcome.REJECTED, at=NOW))
    house.acknowledge(Outcome.UNKNOWN)
    house.acknowledge()
    assert (await asked).outcome == "executed"


async def test_nothing_is_answered_that_was_not_sent_yet(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish(Action.UNLOCK, device="front-door")))
    await asyncio.sleep(0)
    house.acknowledge(Outcome.REJECTED, device="front-door")
    await house.until_sent()
    house.acknowledge(device="front-door")
    assert (await asked).outcome == "executed"


async def test_a_plain_id_without_an_answer_stays_one_also_where_its_room_could_not_be_asked(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.go_offline()
    await settle_all(asked)
    with pytest.raises(HomeError, match="room-offline"):
        await house.commands.execute(house.wish(age=60.0))
    house.come_online("s2")
    asked = asyncio.create_task(house.commands.execute(house.wish(age=60.0)))
    await house.until_sent(2)
    assert house.broker.sent[-1][1].recall, "nobody knows that nothing was done"
    house.acknowledge(repeated=True)
    assert (await asked).outcome == "executed"


async def test_the_heartbeat_goes_before_the_command(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    assert house.before == [0]
    house.acknowledge()
    await asked


class Script:
    """Steps in any order, and what came of them."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.asked: list[asyncio.Task[Executed]] = []
        self.executed: set[str] = set()

    def ask_lamp(self) -> None:
        self._ask("lamp", Action.ON)

    def ask_door(self) -> None:
        self._ask("front-door", Action.UNLOCK)

    def say_executed(self) -> None:
        if (command_id := self._answer(Outcome.EXECUTED)) is not None:
            self.executed.add(command_id)

    def say_rejected(self) -> None:
        self._answer(Outcome.REJECTED)

    def confirm(self) -> None:
        if (sent := self._sent()) is not None:
            sent.set_result(0)

    def find_nobody(self) -> None:
        if (sent := self._sent()) is not None:
            sent.set_result(16)

    def never_confirm(self) -> None:
        if (sent := self._sent()) is not None:
            sent.set_exception(HomeError("broker-unreachable"))

    def go_offline(self) -> None:
        self.house.go_offline()

    def come_online(self) -> None:
        self.house.come_online()

    def lose_link(self) -> None:
        self.house.home.link_down()
        self.house.commands.lose_all("link-lost")

    def leave(self) -> None:
        if self.asked:
            self.asked[-1].cancel()

    def _ask(self, device: str, action: Action) -> None:
        wish = self.house.wish(action, device=device, command_id=f"c{len(self.asked)}")
        self.asked.append(asyncio.create_task(self.house.commands.execute(wish), name=wish.id))

    def _answer(self, outcome: Outcome) -> str | None:
        if not self.house.broker.sent:
            return None
        topic, command = self.house.broker.sent[-1]
        assert command.id is not None
        self.house.acknowledge(outcome, command_id=command.id, device=topic.split("/")[2])
        return command.id

    def _sent(self) -> "asyncio.Future[int] | None":
        pubacks = self.house.broker.pubacks
        return pubacks[-1] if pubacks and not pubacks[-1].done() else None


STEPS = tuple(name for name in vars(Script) if not name.startswith("_"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.booleans()), max_size=25))
async def test_in_any_order_everyone_gets_one_answer_and_executed_only_by_the_rooms_word(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bool]]
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool") / "spool.sqlite3")
    house = House(spool)
    script = Script(house)
    for name, pause in steps:
        getattr(script, name)()
        await asyncio.sleep(0)
        if pause:
            await house.commands.settled()
    await house.commands.settled()
    house.commands.lose_all("end")
    answers = await asyncio.wait_for(settle_all(*script.asked), 10)
    for task, answer in zip(script.asked, answers, strict=True):
        assert isinstance(answer, Executed | HomeError | asyncio.CancelledError)
        if isinstance(answer, Executed):
            assert task.get_name() in script.executed
    ids = [command.id for _, command in house.broker.sent]
    assert len(ids) == len(set(ids)), "nothing is sent twice"
    for future in house.broker.pubacks:
        future.cancel()
    spool.close()


# --- lockdown ------------------------------------------------------------------------------------------------


async def test_in_a_lockdown_nothing_is_sent_but_what_is_safe(house: House) -> None:
    house.home.set_lockdown(LockdownState(active=True, at=NOW))
    for device, action in (("lamp", Action.ON), ("front-door", Action.UNLOCK)):
        with pytest.raises(HomeError) as refused:
            await house.commands.execute(house.wish(action, device=device, command_id=device))
        assert (refused.value.slug, refused.value.status) == ("lockdown", 409)
        assert refused.value.facts == {"id": device, "outcome": Outcome.REJECTED, "reason": "lockdown"}
    assert house.broker.sent == []
    for device, action in (("lamp", Action.OFF), ("front-door", Action.LOCK)):
        asked = asyncio.create_task(house.commands.execute(house.wish(action, device=device, command_id=action)))
        await house.until_sent(1 if device == "lamp" else 2)
        house.acknowledge(device=device, command_id=action)
        assert (await asked).outcome == "executed"


@pytest.mark.parametrize("room_proves", [True, False])
async def test_a_critical_wish_that_a_lockdown_refused_is_recorded_once_by_us(
    house: House, *, room_proves: bool
) -> None:
    house.room_proves = room_proves
    house.home.set_lockdown(LockdownState(active=True, at=NOW))
    for device, action in (("lamp", Action.ON), ("front-door", Action.UNLOCK)):
        with pytest.raises(HomeError, match="lockdown"):
            await house.commands.execute(house.wish(action, device=device, command_id=device))
    assert await house.recorded() == [("device:unlock", Outcome.REJECTED, Severity.CRITICAL, "lockdown")]


async def test_a_wish_whose_intent_was_being_written_when_it_began_is_not_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, written = asyncio.Event(), asyncio.Event()

    async def slowly(_wish: Wish, *, late: bool, again: bool) -> Written:
        writing.set()
        await written.wait()
        return Written(())

    monkeypatch.setattr(house.proof, "intent", slowly)
    asked = asyncio.create_task(house.commands.execute(house.wish(Action.UNLOCK, device="front-door")))
    await writing.wait()
    house.home.set_lockdown(LockdownState(active=True, at=NOW))
    written.set()
    with pytest.raises(HomeError, match="lockdown"):
        await asked
    assert house.broker.sent == []
    assert await house.recorded() == [("device:unlock", Outcome.REJECTED, Severity.CRITICAL, "lockdown")]


async def test_what_was_sent_before_it_began_is_answered_by_its_room(house: House) -> None:
    asked = asyncio.create_task(house.commands.execute(house.wish()))
    await house.until_sent()
    house.home.set_lockdown(LockdownState(active=True, at=NOW))
    house.acknowledge()
    assert (await asked).outcome == "executed"


async def test_a_wish_of_two_names_both_before_anything_is_sent(house: House) -> None:
    wish = msgspec.structs.replace(house.wish(Action.UNLOCK, device="front-door"), partner=BEN)
    going = asyncio.create_task(house.commands.execute(wish))
    await house.broker.published.wait()
    (intent,) = [event for event in house.spool.pending(10) if event.outcome is Outcome.ASKED]
    assert intent.who.user == ADA
    assert intent.detail == {"user": "Ben", "partner": "u-ben"}
    house.acknowledge(device="front-door")
    assert (await going).outcome == "executed"


async def test_a_recalled_wish_asks_the_room_and_has_nothing_moved(house: House) -> None:
    wish = msgspec.structs.replace(house.wish(Action.UNLOCK, device="front-door"), recall=True)
    going = asyncio.create_task(house.commands.execute(wish))
    await house.broker.published.wait()
    assert [command.recall for _, command in house.broker.sent] == [True]
    house.acknowledge(Outcome.REJECTED, reason="id-used", device="front-door")
    with pytest.raises(HomeError) as refused:
        await going
    assert refused.value.slug == "id-used"
    assert [event for event in house.spool.pending(10) if event.outcome is Outcome.ASKED] == []


async def test_an_id_is_known_while_no_repeat_of_it_could_move_anything(house: House) -> None:
    assert not house.commands.knows("c1")
    going = asyncio.create_task(house.commands.execute(house.wish()))
    await house.broker.published.wait()
    assert house.commands.knows("c1")
    house.acknowledge()
    await going
    assert house.commands.knows("c1")
    house.go_offline()
    with pytest.raises(HomeError):
        await house.commands.execute(house.wish(command_id="c2"))
    assert not house.commands.knows("c2"), "nothing was sent: it would begin anew"
