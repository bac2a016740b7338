"""A house whose doors move: happenings put in as the intake does it, a watch over them, and the letters it made."""

import itertools
from collections.abc import Sequence
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import insert, select

from alert_service.letters import mailbox
from alert_service.noticing import rows
from alert_service.noticing.watch import PATROL_SECONDS, Watch
from alert_service.tables import deliveries, happenings, tidings
from alert_service.telling import noticed
from alert_service.telling.noticed import SECOND
from alert_service.telling.policy import Rule
from alert_service.telling.tidings import Letter
from shared.keeping.database import Store
from tests.unit.alert_service.parts import masters

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=BERLIN).timestamp()
CONTACT = "garage/door-contact"
ADA = "ada@example.org"
_ids = itertools.count(1)


class House:
    """`time` is the hub's clock, `steady` what no setting moves; `home` what auth says of who is at home."""

    def __init__(self, store: Store, *rules: Rule, zone: tzinfo = BERLIN, time: float = NOON) -> None:
        self.store = store
        self.rules = noticed.read(rules)
        self.zone = zone
        self.time = time
        self.steady = 1000.0
        self.home: bool | None = False
        self.asked = 0
        self.seqs: dict[str, int] = {}
        self.watch = self._watch()

    def _watch(self) -> Watch:
        return Watch(
            self.store,
            self.rules,
            self.zone,
            at_home=self._at_home,
            now=lambda: self.time,
            steady=lambda: self.steady,
        )

    async def _at_home(self) -> bool | None:
        self.asked += 1
        return self.home

    async def people(self, *emails: str) -> None:
        async with self.store.write() as connection:
            await mailbox.set_people(connection, masters(*emails), self.time)

    async def ready(self) -> None:
        await self.people(ADA)
        await self.watch.look()

    async def restart(self, *rules: Rule, after: float = 0.0) -> None:
        if rules:
            self.rules = noticed.read(rules)
        self.time, self.steady = self.time + after, self.steady + after
        self.watch = self._watch()
        await self.look()

    async def happens(
        self,
        what: str,
        place: str = CONTACT,
        *,
        at: float | None = None,
        until: float | None = None,
        times: int = 1,
        seq: int | None = None,
        event: str = "",
    ) -> None:
        """It arrives now, and happened at `at`."""
        source = "alerts" if what.startswith("room:") else place.partition("/")[0]
        self.seqs[source] = max(self.seqs.get(source, 0) + 1, seq or 0)
        moment = self.time if at is None else at
        row = self.row(source, what, place, moment, until, times, seq, event)
        async with self.store.write() as connection:
            await connection.execute(insert(happenings).values(**row))

    async def many(self, rows: Sequence[dict[str, object]]) -> None:
        async with self.store.write() as connection:
            await connection.execute(insert(happenings), list(rows))

    def row(
        self,
        source: str,
        what: str,
        place: str,
        moment: float,
        until: float | None = None,
        times: int = 1,
        seq: int | None = None,
        event: str = "",
    ) -> dict[str, object]:
        return {
            "source": source,
            "id": f"h{next(_ids)}",
            "seq": seq if seq is not None else self.seqs[source],
            "at": round(moment * 1e6),
            "until": round((until if until is not None else moment) * 1e6),
            "times": times,
            "received_at": round(self.time * 1e6),
            "what": what,
            "place": place,
            "room": place.partition("/")[0],
            "event": event,
        }

    async def opens(self, *, at: float | None = None) -> None:
        await self.happens("device:opened", at=at)
        await self.look()

    async def closes(self, *, at: float | None = None) -> None:
        await self.happens("device:closed", at=at)
        await self.look()

    async def look(self) -> None:
        while await self.watch.look() == 0.0:
            pass

    async def passes(self, seconds: float) -> None:
        """Time passes, as the watch itself counts it; its patrols, at which nothing is due, are left out."""
        end = self.time + seconds
        while True:
            wait = await self.watch.look()
            if wait >= PATROL_SECONDS:
                async with self.store.read() as connection:
                    due = await rows.next_due(connection)
                wait = max(wait, due / SECOND - self.time) if due is not None else seconds
            step = min(max(wait, 0.05), end - self.time)
            if step <= 0:
                return
            self.time, self.steady = self.time + step, self.steady + step

    async def letters(self) -> Sequence[Letter]:
        async with self.store.read() as connection:
            found = await connection.execute(select(tidings.c.body).order_by(tidings.c.letter))
            return [msgspec.json.decode(one, type=Letter) for one in found.scalars()]

    async def forms(self) -> list[str]:
        return [letter.form for letter in await self.letters()]

    async def addressed(self) -> list[str]:
        async with self.store.read() as connection:
            return list((await connection.execute(select(deliveries.c.recipient).order_by(deliveries.c.id))).scalars())
