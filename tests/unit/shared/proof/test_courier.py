"""The courier: what is spooled goes out again and again until its receipt, and a bad receipt harms nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shared.broker.bus import Delivery
from shared.proof import courier as courier_module
from shared.proof import together
from shared.proof.courier import _FEW, _FRESH_MOST, Courier
from shared.proof.resend import WINDOW
from shared.proof.spool import Spool
from shared.proof.together import TOGETHER
from shared.running.seldom import Seldom
from shared.words import messages, topics
from shared.words.messages import AuditEvent, Receipt, ReceiptLine, Resend, Who, utc
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError
from tests.house import DEADLINE


def event(name: str, severity: Severity = Severity.INFO) -> AuditEvent:
    return AuditEvent(
        id=name,
        at=utc(0),
        what="x:y",
        where="z",
        who=Who(issuer="gateway"),
        outcome=Outcome.EXECUTED,
        severity=severity,
    )


class FakeBus:
    """Keeps what is published."""

    identity = "gateway"

    def __init__(self) -> None:
        self.connected = True
        self.sent: list[AuditEvent] = []
        self.messages: list[list[str]] = []
        """Of each message the events in it."""
        self.came = asyncio.Event()

    def send(self, topic: str, payload: bytes) -> asyncio.Future[int]:
        if not self.connected:
            raise HomeError("broker-unreachable")
        assert topic == topics.audit(self.identity)
        inside = [messages.decode(AuditEvent, one) for one in together.opened(payload)]
        self.messages.append([one.id for one in inside])
        self.sent += inside
        self.came.set()
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.set_result(0)
        return future

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.came.clear()
                await self.came.wait()


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool.sqlite3")


@pytest.fixture
async def courier(bus: FakeBus, spool: Spool) -> AsyncIterator[Courier]:
    made = Courier(spool, bus)  # type: ignore[arg-type]  # stands for the bus
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def delivery(topic: str, message: messages.Message | bytes) -> Delivery:
    payload = message if isinstance(message, bytes) else messages.encode(message)
    return Delivery(topic, payload, retained=False, connection=None, mid=1)


def receipt(*names: str, most: int = 1) -> Receipt:
    return Receipt(events=tuple(ReceiptLine(id=name, row=1, hash="00") for name in names), together=most)


async def test_what_is_appended_goes_out_with_its_number(bus: FakeBus, spool: Spool, courier: Courier) -> None:
    made = spool.append(event("a"), event("b"), durable=True)
    courier.wake()
    await bus.until(lambda: len(bus.sent) == 2)
    assert bus.sent == [*made]


async def test_what_was_just_appended_is_not_read_again(
    bus: FakeBus, spool: Spool, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, ...]] = []
    numbered = spool.numbered

    def note(seq: tuple[int, ...]) -> tuple[messages.AuditEvent, ...]:
        asked.append(seq)
        return numbered(seq)

    monkeypatch.setattr(spool, "numbered", note)
    told = spool.append(event("a"), event("b"), durable=False)
    untold = spool.append(event("c"), durable=False)
    later = spool.append(event("d"), durable=False)
    courier.appended(told)
    courier.appended(later)
    courier.wake()
    await bus.until(lambda: len(bus.sent) == 4)
    assert bus.sent == [*told, *untold, *later], "in the file's order, wherever each came from"
    assert asked == [tuple(one.seq for one in untold)]
    courier.link_up()
    await bus.until(lambda: len(bus.sent) == 8)
    assert asked[1] == tuple(one.seq for one in (*told, *untold, *later)), "memory keeps nothing that went"


async def test_memory_keeps_no_more_than_a_few_windows_of_what_was_appended(
    bus: FakeBus, spool: Spool, courier: Courier
) -> None:
    bus.connected = False
    names = [f"{number:04}" for number in range(_FRESH_MOST + 3)]
    made = spool.append(*(event(name) for name in names), durable=False)
    for one in made:
        courier.appended((one,))
    assert [*courier._fresh] == [one.seq for one in made[3:]]


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.usefixtures("patrol_never_comes")
async def test_a_few_that_were_appended_go_at_once_and_many_together_later(
    bus: FakeBus, spool: Spool, courier: Courier, *, many: bool
) -> None:
    await asyncio.sleep(0)  # it has begun, and waits
    names = [f"{number:04}" for number in range(_FEW + many)]
    courier.appended(spool.append(*(event(name) for name in names), durable=False))
    if many:
        assert not courier._woken.is_set()
        courier.wake()
    await bus.until(lambda: len(bus.sent) == len(names))


async def test_what_another_process_appended_goes_out_unasked(bus: FakeBus, spool: Spool, courier: Courier) -> None:
    spool.append(event("a"), durable=True)
    await bus.until(lambda: bool(bus.sent))


@pytest.fixture
def patrol_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """To be asked for before `courier`."""
    monkeypatch.setattr(courier_module, "_PATROL_SECONDS", 3600.0)


@pytest.mark.usefixtures("patrol_never_comes")
async def test_receipts_make_room_for_more_at_once(bus: FakeBus, spool: Spool, courier: Courier) -> None:
    names = [f"{number:04}" for number in range(5 * WINDOW)]
    for name in names:
        spool.append(event(name), durable=False)
    courier.wake()
    receipted = 0
    while receipted < len(names):
        await bus.until(lambda so_far=receipted: len(bus.sent) > so_far)  # type: ignore[misc]
        came = [one.id for one in bus.sent[receipted:]]
        assert len(came) <= WINDOW, "no more than a window is under way"
        assert courier.hear(delivery(topics.receipt(bus.identity), receipt(*came)))
        receipted += len(came)
    assert [one.id for one in bus.sent] == names


async def test_what_is_urgent_passes_the_others(bus: FakeBus, spool: Spool, courier: Courier) -> None:
    spool.append(event("a"), durable=False)
    made = spool.append(event("b"), durable=True)
    courier.carry(made)
    assert bus.sent == [*made]
    await bus.until(lambda: "a" in [one.id for one in bus.sent])


async def test_what_is_urgent_waits_with_the_others_without_a_link(
    bus: FakeBus, spool: Spool, courier: Courier
) -> None:
    bus.connected = False
    courier.carry(spool.append(event("a"), durable=True))
    bus.connected = True
    await bus.until(lambda: [one.id for one in bus.sent] == ["a"])


async def test_a_receipt_ends_it_and_the_rest_is_sent_again(bus: FakeBus, spool: Spool, courier: Courier) -> None:
    spool.append(event("a"), event("b"), durable=True)
    courier.wake()
    await bus.until(lambda: len(bus.sent) == 2)
    assert courier.hear(delivery(topics.receipt("gateway"), receipt("a")))
    courier.link_up()
    await bus.until(lambda: len(bus.sent) >= 3)
    assert [one.id for one in bus.sent[2:]] == ["b"]
    assert [one.id for one in spool.pending(9)] == ["b"]


async def test_nothing_goes_out_while_the_link_is_down_and_all_when_it_is_back(
    bus: FakeBus, spool: Spool, courier: Courier
) -> None:
    bus.connected = False
    spool.append(event("a"), durable=True)
    courier.wake()
    assert bus.sent == []
    bus.connected = True
    courier.link_up()
    await bus.until(lambda: [one.id for one in bus.sent] == ["a"])


async def test_what_the_alert_service_misses_is_sent_again_though_receipted(
    bus: FakeBus, spool: Spool, courier: Courier
) -> None:
    _, b = spool.append(event("a"), event("b"), durable=True)
    spool.receipted(receipt("a", "b"))
    assert courier.hear(delivery(topics.resend("gateway"), Resend(seq=(b.seq, b.seq + 97))))
    await bus.until(lambda: [one.id for one in bus.sent] == ["b"])


async def test_what_follows_a_number_goes_out_in_a_windows_portions(
    bus: FakeBus, spool: Spool, courier: Courier
) -> None:
    names = [f"e{n}" for n in range(WINDOW + 50)]
    made = spool.append(*(event(name) for name in names), durable=True)
    spool.receipted(receipt(*names))
    asked = Resend(seq=(made[0].seq, made[0].seq - 1, 2**70), after=made[9].seq)
    assert courier.hear(delivery(topics.resend("gateway"), asked))
    await bus.until(lambda: len(bus.sent) == WINDOW)
    assert bus.sent == [made[0], *made[10 : WINDOW + 9]]
    assert courier.hear(delivery(topics.resend("gateway"), Resend(seq=(), after=bus.sent[-1].seq)))
    await bus.until(lambda: len(bus.sent) == len(made) - 9)
    assert bus.sent[-1] == made[-1]


async def test_ordinary_events_travel_together_once_a_receipt_says_that_they_may(
    bus: FakeBus, spool: Spool, courier: Courier
) -> None:
    spool.append(event("a"), event("b"), durable=True)
    courier.wake()
    await bus.until(lambda: len(bus.sent) == 2)
    assert bus.messages == [["a"], ["b"]], "nobody has said that arrays are understood"
    assert courier.hear(delivery(topics.receipt("gateway"), receipt("a", "b", most=TOGETHER)))
    spool.append(event("c"), event("d"), event("door", Severity.CRITICAL), event("e"), event("f"), durable=True)
    courier.wake()
    await bus.until(lambda: len(bus.sent) == 7)
    assert bus.messages[2:] == [["c", "d"], ["door"], ["e", "f"]]


async def test_another_connection_begins_with_one_event_a_message(bus: FakeBus, spool: Spool, courier: Courier) -> None:
    assert courier.hear(delivery(topics.receipt("gateway"), receipt(most=TOGETHER)))
    spool.append(event("a"), event("b"), durable=True)
    courier.wake()
    await bus.until(lambda: len(bus.sent) == 2)
    courier.link_up()
    await bus.until(lambda: len(bus.sent) == 4)
    assert bus.messages == [["a", "b"], ["a"], ["b"]]


async def test_what_is_asked_for_comes_together_where_the_request_says_that_it_may(
    bus: FakeBus, spool: Spool, courier: Courier
) -> None:
    made = spool.append(*(event(f"e{n}") for n in range(5)), durable=True)
    spool.receipted(receipt(*(one.id for one in made)))
    asked = Resend(seq=(made[0].seq,), after=made[2].seq, together=TOGETHER)
    assert courier.hear(delivery(topics.resend("gateway"), asked))
    await bus.until(lambda: len(bus.sent) == 3)
    assert bus.messages == [["e0", "e3", "e4"]]


@pytest.mark.parametrize(
    "heard",
    [
        delivery(topics.receipt("gateway"), b"nonsense"),
        delivery(topics.resend("gateway"), b"{}"),
        delivery(topics.receipt("gateway"), receipt("unheard-of")),
    ],
)
async def test_a_receipt_that_cannot_be_used_harms_nothing(
    bus: FakeBus, spool: Spool, courier: Courier, heard: Delivery
) -> None:
    assert courier.hear(heard)
    spool.append(event("a"), durable=True)
    courier.wake()
    await bus.until(lambda: bool(bus.sent))
    assert spool.count_pending() == 1


async def test_what_is_for_others_is_left_to_them(courier: Courier) -> None:
    assert not courier.hear(delivery(topics.receipt("hall"), receipt("a")))
    assert not courier.hear(delivery(topics.REVOKED, b"{}"))
    assert not courier.hear(delivery("nonsense", b""))


async def test_a_spool_that_stays_unusable_is_complained_of_once_in_a_while(
    bus: FakeBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Torn:
        """A spool whose file cannot be used."""

        def __init__(self) -> None:
            self.asked = 0

        def waiting(self, _most: int) -> tuple[int, ...]:
            self.asked += 1
            loop.call_soon_threadsafe(bus.came.set)
            raise HomeError("no-proof")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(courier_module, "_PATROL_SECONDS", 0.01)
    torn = Torn()
    running = asyncio.create_task(Courier(torn, bus).run())  # type: ignore[arg-type]  # stand for bus and spool

    def said() -> int:
        return [record.message for record in caplog.records].count("Audit events wait")

    await bus.until(lambda: torn.asked >= 10)
    assert said() == 1
    monkeypatch.setattr(Seldom, "is_due", lambda *_: True)  # a minute later
    await bus.until(lambda: torn.asked >= 15)
    assert said() > 1
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
