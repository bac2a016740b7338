"""Tries rules on what happened: the watch itself works, over a copy of the happenings, with a clock of its own.

Nothing of the home is changed, and nobody is told. Who was at home then nobody knows.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import func, insert, or_, select

from alert_service.letters import mailbox
from alert_service.noticing import rows
from alert_service.noticing.watch import Watch
from alert_service.store import open_store
from alert_service.tables import happenings, tidings
from alert_service.telling.noticed import ENDS, SECOND, NoticeRule
from alert_service.telling.tidings import Letter
from shared.keeping.database import Store
from shared.words.internal_recipients import Recipient

_SOMEBODY = Recipient(id="somebody", email="somebody@home.invalid", master=True)
_WAYS_OF_A_ROOM = ("room:away", "room:back")


class Would(NamedTuple):
    """A letter that would have left: by which rule (its number among those that were given), and what it says."""

    rule: int
    letter: Letter


class Past(NamedTuple):
    """What there is to try rules on: how many happenings came in that time, the first of all, and every place."""

    heard: int
    first: int | None
    places: frozenset[str]


async def past(store: Store, since: int) -> Past:
    """What the home knows, in microseconds since 1970."""
    async with store.read() as connection:
        counting = select(func.count()).select_from(happenings).where(happenings.c.received_at >= since)
        count = (await connection.execute(counting)).scalar_one()
        first = (await connection.execute(select(func.min(happenings.c.received_at)))).scalar()
        places = (await connection.execute(select(happenings.c.place).distinct())).scalars()
        return Past(count, first, frozenset(places))


async def rehearse(
    store: Store,
    rules: Sequence[NoticeRule],
    zone: tzinfo,
    since: int,
    until: int,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> list[Would]:
    """The letters that `rules` would have sent from `since` to `until`; `tell` hears how far it is."""
    named = [msgspec.structs.replace(rule, name=str(number), key=f"{number}") for number, rule in enumerate(rules)]
    told = await _happened(store, named, since)
    with tempfile.TemporaryDirectory(prefix="homesystem-try-") as folder:
        scratch = await open_store(f"sqlite+aiosqlite:///{Path(folder) / 'try.sqlite3'}")
        try:
            return await _replay(scratch, told, named, zone, since, until, tell)
        finally:
            await scratch.close()


async def _replay(
    scratch: Store,
    told: Sequence[dict[str, Any]],
    rules: Sequence[NoticeRule],
    zone: tzinfo,
    since: int,
    until: int,
    tell: Callable[[int, int], None],
) -> list[Would]:
    async with scratch.write() as connection:
        await mailbox.set_people(connection, (_SOMEBODY,), since / SECOND)
    clock = _Clock(since / SECOND)
    watch = Watch(scratch, rules, zone, at_home=_nobody_knows, now=clock, steady=clock)

    async def on(moment: int) -> None:
        """Until then everything falls due in its time."""
        while True:
            while await watch.look() == 0.0:
                pass
            async with scratch.read() as connection:
                due = await rows.next_due(connection)
            if due is None or due > moment:
                break
            clock.time = max(clock.time, due / SECOND)
        clock.time = max(clock.time, moment / SECOND)

    done = 0
    await on(since)
    for moment, together in _by_arrival(told):
        await on(moment)
        async with scratch.write() as connection:
            await connection.execute(insert(happenings), together)
        done += len(together)
        tell(done, len(told))
    await on(until)
    async with scratch.read() as connection:
        bodies = (await connection.execute(select(tidings.c.body).order_by(tidings.c.letter))).scalars()
        letters = [msgspec.json.decode(body, type=Letter) for body in bodies]
    return [Would(int(letter.rule), letter) for letter in letters]


async def _happened(store: Store, rules: Iterable[NoticeRule], since: int) -> list[dict[str, Any]]:
    """What came since then that any of the rules may look at."""
    whats = {what for rule in rules for what in rule.what}
    whats |= {ENDS[what] for what in whats & set(ENDS)}
    wanted = select(happenings).where(
        happenings.c.received_at >= since,
        or_(happenings.c.what.in_(sorted(whats)), happenings.c.what.in_(_WAYS_OF_A_ROOM)),
    )
    async with store.read() as connection:
        found = (await connection.execute(wanted.order_by(happenings.c.number))).mappings().all()
    return [dict(one) for one in found]


def _by_arrival(told: Sequence[dict[str, Any]]) -> Iterable[tuple[int, list[dict[str, Any]]]]:
    """What came together is looked at together."""
    together: list[dict[str, Any]] = []
    for one in told:
        if together and one["received_at"] != together[0]["received_at"]:
            yield together[0]["received_at"], together
            together = []
        together.append(one)
    if together:
        yield together[0]["received_at"], together


async def _nobody_knows() -> bool | None:
    return None


class _Clock:
    """Seconds since 1970 of the time that is tried."""

    def __init__(self, time: float) -> None:
        self.time = time

    def __call__(self) -> float:
        return self.time
