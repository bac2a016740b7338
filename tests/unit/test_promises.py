"""Promises 2 and 3 over all parts at once: two gateways, a room and the letters, and what lies between in our hands.

Whatever is lost, held up, repeated, killed or told in whichever order: every edge of a critical output is in a letter
that says that it moved, or may have; and no id moves anything twice.
"""

import asyncio
import itertools
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alert_service.telling import joining, rules
from alert_service.telling.joining import INTENT_WAIT_SECONDS, OUTCOME_WAIT_SECONDS, Case
from gateway.acting.commands import Commands
from gateway.acting.proof import Proof
from gateway.acting.wish import Wish
from gateway.picture.devices import Device
from gateway.picture.home import Home
from shared.proof.spool import Spool
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, AuditEvent, Availability, UserRef
from shared.words.names import Action, ConfirmBy, Kind, Outcome
from tests.unit.device_agents.fakes import House, Killed

ADA = UserRef(id="u-ada", name="Ada")
GATEWAYS = ("gateway", "gateway-2")
GATE = 12
GATE_IS = {"id": "gate", "name": "Gate", "kind": "pulse", "pin": GATE, "travel_time": 1.0, "critical": True}
MOVED = {Outcome.EXECUTED, Outcome.FAILED, Outcome.UNKNOWN}
IDS = st.integers(0, 2)
WHICH = st.integers(0, 1)


class Broker:
    """What a gateway published lies here until the test lets it go on."""

    connected = True

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.held: list[tuple[str, bytes]] = []

    def post(self, topic: str, payload: bytes, **_asked: Any) -> None:
        self.held.append((topic, payload))


class GatewayPart:
    """One gateway without its web: its spool outlives it."""

    def __init__(self, spool: Spool, house: House, identity: str) -> None:
        self.spool = spool
        self.house = house
        self.broker = Broker(identity)
        self.start()

    def start(self) -> None:
        """A new process. What an earlier one published is on its way."""
        home = Home()
        home.hear_availability(
            "hall", Availability(status="online", at=messages.utc(0), session="s"), retained=False, now=0
        )
        self.proof = Proof(self.spool, issuer=self.broker.identity, urgent=lambda _events: None)
        self.commands = Commands(
            self.broker,
            home,
            self.proof,
            before_send=lambda: None,
            on_unknown=lambda _wish, _reason: None,
            wait_seconds=3600.0,
            wall=self.house.hub_time,
        )
        self.asked: list[asyncio.Task[Any]] = []

    async def end(self) -> None:
        """Nothing that it waits for comes any more; it writes what it knows."""
        self.commands.lose_all("gateway-stopped")
        await self.commands.settled()
        await asyncio.gather(*self.asked, return_exceptions=True)
        writing = asyncio.create_task(self.proof.run())
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


class Letters:
    """The alert service's cases, folded as its recorder folds them."""

    def __init__(self) -> None:
        self.cases: dict[str, dict[int, Case]] = {}
        self.ids: dict[str, str] = {}
        self.told: set[tuple[str, str]] = set()
        self.moved: set[int] = set()
        self.rows = itertools.count(1)
        self.now = 0.0

    def tell(self, source: str, event: AuditEvent) -> None:
        if (source, event.id) in self.told:
            return
        self.told.add((source, event.id))
        part = rules.part(source, event)
        if part not in {rules.Part.INTENT, rules.Part.OUTCOME}:
            return
        key = rules.command_key(event)
        self.ids[key] = event.command_id or ""
        known = self.cases.setdefault(key, {})
        newest = known[max(known)] if known else None
        row = next(self.rows)
        if part is rules.Part.OUTCOME and event.outcome in MOVED - {Outcome.UNKNOWN}:
            self.moved.add(row)
        for case in joining.fold(newest, part, row, source, event, self.now):
            known[case.round] = case

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for known in self.cases.values():
            for case in list(known.values()):
                if (closed := joining.expire(case, self.now)) is not None:
                    known[closed.round] = closed

    def of(self, id_: str) -> list[Outcome | None]:
        """How the letters about this id end."""
        return [case.ended for key, known in self.cases.items() if self.ids[key] == id_ for case in known.values()]


class World:
    """All of it, and the steps that may be taken."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder, [GATE_IS])
        self.gateways = [GatewayPart(Spool(folder / f"{one}.sqlite3"), self.house, one) for one in GATEWAYS]
        self.letters = Letters()
        self.edges: Counter[str] = Counter()
        self.by_way: Counter[tuple[str, str]] = Counter()
        self.has_forgotten = False
        self.replaced: set[str] = set()
        self.folder = folder
        self.heartbeats()

    def heartbeats(self) -> None:
        for one in GATEWAYS:
            self.house.heartbeat(gateway=one)

    async def ask(self, which: int, number: int, age: float) -> None:
        """A person presses, or a program asks again."""
        part = self.gateways[which]
        wish = Wish(
            id=f"id-{number}",
            user=ADA,
            device=Device(
                room="hall",
                id="gate",
                name="Gate",
                kind=Kind.PULSE,
                critical=True,
                confirm_by=ConfirmBy.NONE,
                actions=(Action.PRESS,),
                safe_actions=(),
                room_proves=True,
            ),
            action=Action.PRESS,
            value=None,
            origin="192.0.2.7",
            issued_at=self.house.hub_time() - age,
        )
        part.asked.append(asyncio.create_task(part.commands.execute(wish)))
        await asyncio.sleep(0)
        await part.commands.settled()

    async def deliver(self, which: int, kill: str | None, answered: bool) -> None:
        """The room hears what was published last; killed in it, perhaps, and its answer perhaps lost."""
        part = self.gateways[which]
        if not part.broker.held:
            return
        topic, payload = part.broker.held.pop()
        before, said = len(self.house.pins.waveform), len(self.house.link.said)
        self.house.kill_at = kill
        try:
            self.house.hear(topic, payload)
        except Killed:
            pass
        finally:
            self.house.kill_at = None
        edges = [edge for edge in self.house.pins.waveform[before:] if edge == (GATE, 1)]
        command = messages.decode(messages.Command, payload)
        assert command.id is not None
        assert not (edges and command.recall), "it was only asked how that ended"
        self.edges[command.id] += len(edges)
        self.by_way[part.broker.identity, command.id] += len(edges)
        heard = self.house.link.said[said:]
        if kill is not None:
            self.house.restart()
            self.heartbeats()
        if answered:
            for where, body, *_ in heard:
                if where == topics.acknowledgement("hall", "gate"):
                    for one in self.gateways:
                        one.commands.hear("hall", "gate", messages.decode(Acknowledgement, body))
        await asyncio.sleep(0)

    async def lose(self, which: int) -> None:
        """What was published is gone."""
        self.gateways[which].broker.held.clear()

    async def twice(self, which: int) -> None:
        """The broker delivers once more what it holds."""
        self.gateways[which].broker.held *= 2

    async def give_up(self, which: int) -> None:
        """No answer came in time."""
        self.gateways[which].commands.lose_all("no-answer")
        await asyncio.sleep(0)

    async def restart_gateway(self, which: int) -> None:
        await self.gateways[which].end()
        self.gateways[which].start()

    async def restart_room(self) -> None:
        self.house.restart()
        self.heartbeats()

    async def next_day(self) -> None:
        """The room has forgotten what it did."""
        with self.house.ledger.spool.connect() as db:
            db.execute("DELETE FROM command")
        db.close()
        self.has_forgotten = True
        self.house.advance(60.0)
        self.heartbeats()

    async def new_spool(self, which: int) -> None:
        """A gateway's card was replaced, once everything on it had been told."""
        part = self.gateways[which]
        await part.end()
        for event in part.spool.pending(10_000):
            self.letters.tell(part.broker.identity, event)
        part.spool.close()
        part.spool = Spool(self.folder / f"{which}-{next(self.letters.rows)}.sqlite3")
        self.replaced.add(part.broker.identity)
        part.start()

    async def wait(self, seconds: float) -> None:
        self.house.advance(seconds)
        self.heartbeats()
        self.letters.wait(seconds)

    async def tell(self, source: int, place: int) -> None:
        """One event reaches the alert service, in whatever order."""
        name, spool = self.spools()[source]
        if events := spool.pending(1000):
            self.letters.tell(name, events[place % len(events)])

    def spools(self) -> list[tuple[str, Spool]]:
        return [*((part.broker.identity, part.spool) for part in self.gateways), ("hall", self.house.ledger.spool)]

    async def settle(self) -> None:
        """In the end everybody has told what there was."""
        for part in self.gateways:
            await part.end()
        self.house.restart()
        for name, spool in self.spools():
            for event in spool.pending(10_000):
                self.letters.tell(name, event)
        self.letters.wait(OUTCOME_WAIT_SECONDS + INTENT_WAIT_SECONDS)

    def close(self) -> None:
        self.house.die()
        for part in self.gateways:
            part.spool.close()

    def check(self) -> None:
        rows = {case.outcome for known in self.letters.cases.values() for case in known.values()}
        assert self.letters.moved <= rows, "what moved is told as such"
        for id_, edges in self.edges.items():
            told = [ended for ended in self.letters.of(id_) if ended in MOVED]
            assert len(told) >= edges, f"{edges} edges of {id_}, and letters only about {told}"
            assert None not in self.letters.of(id_), "a letter never leaves"
            assert edges <= 1 or self.has_forgotten, f"{id_} moved twice"
        for (gateway, id_), edges in self.by_way.items():
            assert edges <= 1 or (self.has_forgotten and gateway in self.replaced), f"{gateway} moved {id_} twice"


ASK = st.tuples(st.just("ask"), WHICH, IDS, st.sampled_from([0.0, 0.0, 0.0, 4.0, 60.0]))
DELIVER = st.tuples(
    st.just("deliver"),
    WHICH,
    st.sampled_from([None, None, None, "committed", "moved", "finished", "stated"]),
    st.booleans(),
)
STEPS = st.one_of(
    ASK,
    DELIVER,
    ASK,
    DELIVER,
    st.tuples(st.sampled_from(["lose", "twice", "give_up", "restart_gateway", "new_spool"]), WHICH),
    st.tuples(st.sampled_from(["restart_room", "next_day"])),
    st.tuples(st.just("wait"), st.sampled_from([2.0, 7.0, 31.0])),
    st.tuples(st.just("tell"), st.integers(0, 2), st.integers(0, 9)),
)
Step = tuple[Any, ...]
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
ANSWERED, UNANSWERED = ("deliver", 0, None, True), ("deliver", 0, None, False)
ASKED, THERE = ("ask", 0, 0, 0.0), ("ask", 1, 0, 0.0)
DONE = (ASKED, ANSWERED, ("tell", 0, 0), ("wait", 31.0))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@settings(max_examples=120, deadline=None)
@example([ASKED, ("lose", 0), ("give_up", 0), ("wait", 31.0), ASKED, ANSWERED])
@example([ASKED, ("lose", 0), ("give_up", 0), ("wait", 31.0), ("restart_gateway", 0), ASKED, ANSWERED])
@example([ASKED, ANSWERED, ("wait", 31.0), ("next_day",), ("restart_gateway", 0), ASKED, ANSWERED])
@example([ASKED, ANSWERED, ("wait", 31.0), THERE, ("deliver", 1, None, True)])
@example([ASKED, ANSWERED, ("next_day",), ("tell", 0, 0), ("tell", 2, 0), THERE, ("deliver", 1, None, True)])
@example([*DONE, ("next_day",), ("new_spool", 0), ASKED, ANSWERED])
@example([*DONE, ("tell", 2, 0), ("next_day",), ("new_spool", 0), ASKED, ANSWERED, ("tell", 2, 1)])
@example([ASKED, ("lose", 0), ("give_up", 0), ("tell", 0, 0), ("wait", 31.0), ("new_spool", 0), ASKED, ANSWERED])
@example([ASKED, UNANSWERED, ("give_up", 0), ("wait", 31.0), ASKED, ANSWERED])
@example([ASKED, ("twice", 0), ANSWERED, ("wait", 2.0), ANSWERED])
@given(st.lists(STEPS, max_size=25))
async def test_every_edge_is_in_a_letter_and_no_id_moves_twice(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory(prefix="promises-", dir=IN_MEMORY) as made:
        world = World(Path(made))
        try:
            for name, *arguments in steps:
                await getattr(world, name)(*arguments)
            await world.settle()
            world.check()
        finally:
            world.close()


async def test_what_is_counted_does_move(tmp_path: Path) -> None:
    """The test above would pass in a home where nothing ever happened."""
    world = World(tmp_path)
    for number, kill in enumerate((None, "moved")):
        await world.ask(0, number, 0.0)
        await world.deliver(0, kill, answered=True)
        await world.wait(7.0)
    await world.settle()
    world.check()
    assert world.edges == {"id-0": 1, "id-1": 1}
    assert [world.letters.of(f"id-{number}") for number in range(2)] == [[Outcome.EXECUTED], [Outcome.FAILED]]
    world.close()
