"""The floor's gateway: a bare HTTPS handler that asks the room, waits for its word, and has an event recorded.

No person, right, limit, page or stream; only what every command needs.
`python -m tests.bench.bare_gateway PKI MQTT HTTPS FOLDER`.
"""

import asyncio
import gc
import itertools
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web

from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import BrokerConfig, Subscription
from shared.trust import tls
from tests.bench import bare_parts
from tests.bench.bare_parts import ANSWERS, EVENTS, RECEIPTS, STATES, WISHES, Answer, Event, Wish

_GATHER_SECONDS = 0.2
_TOGETHER = 80
"""Events in one message."""
_COLLECTED_AT = 20_000
_SCHEMA = """
CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, body BLOB, receipted_at REAL);
CREATE INDEX open_events ON event (seq) WHERE receipted_at IS NULL;
"""


class Gateway:
    """Commands on their way to one room, and their events on their way to the recorder."""

    def __init__(self, broker: BrokerConfig, spool: Path) -> None:
        heard = tuple(Subscription(topic) for topic in (STATES, ANSWERS, RECEIPTS))
        self.up = asyncio.Event()
        self.bus = Bus(broker, subscriptions=heard, on_message=self._hear, on_up=self._came_up)
        self._numbers = itertools.count()
        self._flying: dict[str, asyncio.Future[Answer]] = {}
        self._gathered: list[Event] = []
        self._state = b""
        self._db = sqlite3.connect(spool, isolation_level=None, check_same_thread=False)
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def command(self, request: web.Request) -> web.Response:
        """One command, from the request to the room's word."""
        action = msgspec.json.decode(await request.read())["action"]
        wish = Wish(f"{next(self._numbers):032d}", action)
        answered = self._flying[wish.id] = asyncio.get_running_loop().create_future()
        self.bus.send(WISHES, msgspec.json.encode(wish))
        answer = await answered
        event = Event(f"e{wish.id}", f"device:{action}", "hall/lamp", "somebody", wish.id, answer.outcome)
        self._gathered.append(event)
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def carry(self) -> None:
        """Write what was gathered, then publish it, until cancelled."""
        while True:
            await asyncio.sleep(_GATHER_SECONDS)
            events, self._gathered = self._gathered, []
            if not events:
                continue
            rows = [(event.id, msgspec.json.encode(event)) for event in events]
            async with self._writing:
                await asyncio.to_thread(self._commit, "INSERT INTO event (id, body) VALUES (?, ?)", rows)
            for first in range(0, len(rows), _TOGETHER):
                together = b",".join(body for _, body in rows[first : first + _TOGETHER])
                self.bus.send(EVENTS, b"[%b]" % together)

    def _hear(self, delivery: Delivery) -> None:
        if delivery.topic == ANSWERS:
            answer = msgspec.json.decode(delivery.payload, type=Answer)
            self._flying.pop(answer.id).set_result(answer)
        elif delivery.topic == STATES:
            self._state = delivery.payload
        else:
            task = asyncio.create_task(self._receipted(msgspec.json.decode(delivery.payload, type=list[str])))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _receipted(self, ids: list[str]) -> None:
        now = time.time()
        async with self._writing:
            update = "UPDATE event SET receipted_at = ? WHERE id = ?"
            await asyncio.to_thread(self._commit, update, [(now, id_) for id_ in ids])

    def _commit(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany(statement, rows)
        self._db.execute("COMMIT")

    async def _came_up(self) -> None:
        self.up.set()


async def serve(pki: Path, mqtt_port: int, port: int, folder: Path) -> None:
    """Until killed."""
    gateway = Gateway(bare_parts.broker(pki, bare_parts.GATEWAY, mqtt_port), folder / bare_parts.SPOOL)
    app = web.Application()
    app.router.add_post("/", gateway.command)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = tls.web_context(pki / "web.crt", pki / "web.key")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(gateway.bus.run())
        tasks.create_task(gateway.carry())
        await gateway.up.wait()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        gc.freeze()
        gc.set_threshold(_COLLECTED_AT)
        print("up", flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
