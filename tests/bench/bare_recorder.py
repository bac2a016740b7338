"""The floor's recorder: events in messages, hashed over the one before, synced to disk together, then receipted.

No letters, rules, gaps or history. `python -m tests.bench.bare_recorder PKI MQTT FOLDER`.
"""

import asyncio
import hashlib
import sqlite3
import sys
from pathlib import Path

import msgspec
import uvloop

from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from tests.bench import bare_parts
from tests.bench.bare_parts import EVENTS, RECEIPTS, Event

_GATHER_SECONDS = 0.1
_RECEIPTED_AT_ONCE = 500
"""A busy machine gathers more than fit into one message."""
_SCHEMA = "CREATE TABLE record (row INTEGER PRIMARY KEY, id TEXT UNIQUE, body BLOB, hash BLOB)"


class Recorder:
    """One table, one writer."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {_SCHEMA}")
        self._head = b""
        self._waiting: list[Delivery] = []
        self._some = asyncio.Event()

    def hear(self, delivery: Delivery) -> None:
        """Take a message from the bus."""
        self._waiting.append(delivery)
        self._some.set()

    async def run(self, bus: Bus) -> None:
        """Record until cancelled; confirm and receipt only what is on the disk."""
        while True:
            await self._some.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._some.clear()
            taken, self._waiting = self._waiting, []
            ids = await asyncio.to_thread(self._commit, [delivery.payload for delivery in taken])
            for delivery in taken:
                bus.acknowledge(delivery)
            for begin in range(0, len(ids), _RECEIPTED_AT_ONCE):
                bus.send(RECEIPTS, msgspec.json.encode(ids[begin : begin + _RECEIPTED_AT_ONCE]))

    def _commit(self, payloads: list[bytes]) -> list[str]:
        rows = []
        for payload in payloads:
            for event in msgspec.json.decode(payload, type=list[Event]):
                body = msgspec.json.encode(event)
                self._head = hashlib.sha256(self._head + body).digest()
                rows.append((event.id, body, self._head))
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT INTO record (id, body, hash) VALUES (?, ?, ?)", rows)
        self._db.execute("COMMIT")
        return [id_ for id_, _, _ in rows]


async def serve(pki: Path, port: int, folder: Path) -> None:
    """Until killed."""
    recorder = Recorder(folder / "bare-recorder.sqlite3")

    async def came_up() -> None:
        print("up", flush=True)

    bus = Bus(
        bare_parts.broker(pki, bare_parts.RECORDER, port),
        subscriptions=(Subscription(EVENTS),),
        on_message=recorder.hear,
        on_up=came_up,
        manual_ack=True,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bus.run())
        tasks.create_task(recorder.run(bus))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(serve(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
