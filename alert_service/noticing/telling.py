"""What becomes of each happening that a rule wants told, within one transaction: watched, told, gathered or left."""

from collections.abc import Sequence
from datetime import tzinfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.letters import tidings as outbox
from alert_service.letters.tidings import Readers
from alert_service.noticing import bounds, rows
from alert_service.noticing.rows import Sum, Watched
from alert_service.telling import noticed, tidings
from alert_service.telling.noticed import ENDS, SECOND, Happening, NoticeRule, Verdict
from alert_service.telling.tidings import DAY, LINES, Letter, Tiding


class Teller:
    """One look: `hear` takes the new happenings in their order, `look` what is due by itself; then `finish`.

    `home`: whether somebody is signed in at home now; None where nobody knows, or no rule asks. `seqs`: the highest
    number of each source so far, which is remembered from look to look.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        rules: Sequence[NoticeRule],
        zone: tzinfo,
        readers: Readers,
        now: int,
        home: bool | None,
        seqs: dict[str, int],
    ) -> None:
        self._connection = connection
        self._rules = {rule.key: rule for rule in rules}
        self._order = tuple(rules)
        self._zone = zone
        self._readers = readers
        self._now = now
        self._home = home
        self._active: dict[str, list[Watched]] = {}
        self._sums: dict[str, tuple[int, Sum]] = {}
        self._changed: set[str] = set()
        self._counts: dict[tuple[str, str], int] = {}
        self._seqs = seqs
        self.letters = 0

    async def begin(self, moved: int) -> None:
        """Take up what was left; `moved`: by how much the hub's clock was set since."""
        for one in await rows.active(self._connection):
            self._active.setdefault(one.happening.place, []).append(one)
            if moved:
                one.shift += moved
                one.due_at = self._due_again(one)
                await rows.keep(self._connection, one, one.due_at)
        self._sums = await rows.sums(self._connection)

    async def hear(self, happening: Happening) -> None:
        """A new happening: it may end what is watched, and rules may want it told."""
        highest = await self._seq(happening)
        late = happening.times > 1 or happening.seq < highest
        self._seqs[happening.source] = max(highest, happening.seq)
        if happening.what in ENDS.values():
            for one in [*self._active.get(happening.place, ())]:
                if noticed.ends(happening, one.happening):
                    await self._ended(one, happening)
        for rule in noticed.wanted(self._order, happening):
            await self._began(rule, happening, late=late)

    async def look(self) -> None:
        """Tell what lasts for long enough now, the ends that waited for the morning, and sums whose time has come."""
        for one in [one for several in self._active.values() for one in several if one.is_due(self._now)]:
            rule = self._rules.get(one.rule)
            if rule is None:  # nobody wants it any more
                await self._leave(one)
            elif one.state == "ended":
                assert one.end is not None
                await self._tell_end(rule, one, one.end)
            elif self._judge(rule, one, None) is Verdict.TELL:
                await self._tell(rule, one.happening, None, one)
            else:
                await rows.keep(self._connection, one, self._due_again(one))
        for key, (due_at, gathered) in [*self._sums.items()]:
            if due_at <= self._now:
                await self._tell_sum(key, gathered)

    async def finish(self) -> None:
        """Keep what was gathered."""
        for key in self._changed:
            due_at, gathered = self._sums.get(key, (0, None))
            await rows.keep_sum(self._connection, key, due_at, gathered)

    async def _began(self, rule: NoticeRule, happening: Happening, *, late: bool) -> None:
        lasts = happening.what in ENDS
        if lasts and any(self._goes_on(one, rule, happening) for one in self._active.get(happening.place, ())):
            return
        lags = lasts and (late or self._now - happening.until > bounds.LAG)
        end = await self._end_of(happening) if lags else None
        moment = noticed.due(rule, happening, self._zone)
        verdict = noticed.judge(moment, rule, end.until if end is not None else None, self._now)
        if verdict is Verdict.NOTHING or await rows.is_known(self._connection, rule.key, happening):
            return
        if verdict is Verdict.TELL and lags and end is None:
            self._remember(await rows.watch(self._connection, rule.key, happening, "waiting", self._now + bounds.LAG))
        elif verdict is Verdict.TELL:
            await self._tell(rule, happening, end, None)
        else:
            assert moment is not None, "one that never is due is not waited for"
            due_at = moment + noticed.GRACE
            self._remember(await rows.watch(self._connection, rule.key, happening, "waiting", due_at))

    async def _ended(self, one: Watched, end: Happening) -> None:
        rule = self._rules.get(one.rule)
        if rule is None:
            await self._leave(one)
        elif one.state == "waiting":
            if self._judge(rule, one, end) is Verdict.TELL:
                await self._tell(rule, one.happening, end, one)
            else:
                await self._leave(one)
        elif one.state == "open":
            morning = bounds.by_day(self._now, self._zone)
            if bounds.is_late(end.until, self._now) and morning > self._now:
                one.state, one.end = "ended", end
                await rows.keep(self._connection, one, morning)
            else:
                await self._tell_end(rule, one, end)

    async def _tell(self, rule: NoticeRule, happening: Happening, end: Happening | None, one: Watched | None) -> None:
        """In a letter of its own, or in a sum; not at all where somebody is at home and the rule asks for that."""
        over = end is not None or happening.what not in ENDS
        over_at = end.until if end is not None else happening.until
        late = over and bounds.is_late(over_at, self._now)
        home = self._home if not over or self._now - over_at <= bounds.PRESENT else None
        if rule.unless_home and home:
            if one is not None:
                await self._leave(one)
            return
        told = tidings.tiding(happening, rule, shift=one.shift if one is not None else 0, end=end)
        if rule.unless_home:
            told = msgspec.structs.replace(told, nobody_home=home is False)
        if late or await self._told_lately(rule, happening.place) >= bounds.ALONE:
            self._gather(rule, happening, told, late=late)
            if one is not None:
                await self._leave(one)
            return
        if not over:
            told = msgspec.structs.replace(told, doubts=await rows.doubts(self._connection, happening))
        await self._put("both" if end is not None else "began", rule, happening, told)
        self._counts[rule.key, happening.place] += 1
        if one is None:
            one = await rows.watch(self._connection, rule.key, happening, "done" if over else "open", None)
            if not over:
                self._remember(one)
        elif over:
            self._forget(one)
        one.state = "done" if over else "open"
        await rows.keep(self._connection, one, told_at=self._now)

    async def _tell_end(self, rule: NoticeRule, one: Watched, end: Happening) -> None:
        told = tidings.tiding(one.happening, rule, shift=one.shift, end=end)
        await self._put("ended", rule, one.happening, told)
        one.state, one.end = "done", end
        self._forget(one)
        await rows.keep(self._connection, one)

    async def _tell_sum(self, key: str, gathered: Sum) -> None:
        letter = Letter(
            form="sum",
            rule=gathered.name,
            urgent=False,
            made_at=self._now,
            tidings=gathered.tidings,
            count=gathered.count,
            last_at=gathered.last_at,
            late=gathered.late,
        )
        await self._send(tidings.key("sum", key, str(self._now)), gathered.source, gathered.to, letter)
        del self._sums[key]
        self._changed.add(key)

    def _gather(self, rule: NoticeRule, happening: Happening, told: Tiding, *, late: bool) -> None:
        due_at = bounds.sum_due(self._now, self._zone, late=late)
        before, gathered = self._sums.get(rule.key, (due_at, Sum(name=rule.name, to=rule.to, source=happening.source)))
        gathered.count += happening.times
        gathered.late |= late
        gathered.last_at = max(gathered.last_at, happening.until)
        if len(gathered.tidings) < LINES:
            gathered.tidings = (*gathered.tidings, told)
        self._sums[rule.key] = (min(before, due_at), gathered)
        self._changed.add(rule.key)

    async def _put(self, form: str, rule: NoticeRule, happening: Happening, told: Tiding) -> None:
        letter = Letter(
            form="ended" if form == "ended" else "both" if form == "both" else "began",
            rule=rule.name,
            urgent=rule.urgent and form != "ended",
            made_at=self._now,
            tidings=(told,),
            last_at=happening.until,
        )
        key = tidings.key("ended" if form == "ended" else "told", rule.key, happening.source, happening.id)
        await self._send(key, happening.source, rule.to, letter)

    async def _send(self, key: str, source: str, to: Sequence[str], letter: Letter) -> None:
        await outbox.put(self._connection, key, source, to, letter, self._readers, self._now / SECOND)
        self.letters += 1

    def _judge(self, rule: NoticeRule, one: Watched, end: Happening | None) -> Verdict:
        """By the hub's clock as it is now: what was heard before it was set is moved along."""
        moved = msgspec.structs.replace(
            one.happening, at=one.happening.at + one.shift, until=one.happening.until + one.shift
        )
        moment = noticed.due(rule, moved, self._zone)
        return noticed.judge(moment, rule, end.until if end is not None else None, self._now)

    def _due_again(self, one: Watched) -> int | None:
        rule = self._rules.get(one.rule)
        if one.state != "waiting" or rule is None:
            return one.due_at
        moved = msgspec.structs.replace(
            one.happening, at=one.happening.at + one.shift, until=one.happening.until + one.shift
        )
        moment = noticed.due(rule, moved, self._zone)
        return moment + noticed.GRACE if moment is not None else self._now

    def _goes_on(self, one: Watched, rule: NoticeRule, happening: Happening) -> bool:
        """Whether what is told now is what lasts already: told again, or its end was never heard."""
        return (
            one.rule == rule.key
            and one.state in {"waiting", "open"}
            and one.happening.what == happening.what
            and noticed.follows(happening, one.happening)
            and happening.at - one.happening.at < DAY
        )

    async def _end_of(self, happening: Happening) -> Happening | None:
        """What ended a happening that we hear of late, if that came already."""
        candidates = await rows.ends_after(self._connection, happening, ENDS[happening.what])
        return next((one for one in candidates if noticed.ends(one, happening)), None)

    async def _told_lately(self, rule: NoticeRule, place: str) -> int:
        if (rule.key, place) not in self._counts:
            since = self._now - bounds.HOUR
            self._counts[rule.key, place] = await rows.told_since(self._connection, rule.key, place, since)
        return self._counts[rule.key, place]

    async def _seq(self, happening: Happening) -> int:
        if happening.source not in self._seqs:
            found = await rows.last_seq(self._connection, happening.source, happening.number)
            self._seqs[happening.source] = found
        return self._seqs[happening.source]

    async def _leave(self, one: Watched) -> None:
        self._forget(one)
        await rows.drop(self._connection, one)

    def _remember(self, one: Watched) -> None:
        self._active.setdefault(one.happening.place, []).append(one)

    def _forget(self, one: Watched) -> None:
        self._active[one.happening.place].remove(one)
