"""The daily letter: one a day, with the head and the day's figures, lost by no crash and no absent mail server."""

import zoneinfo
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from alert_service.chain import chain
from alert_service.letters import daily, mailbox
from alert_service.letters.daily import DailyLetter
from alert_service.letters.outbox import Manner, Outbox
from alert_service.record import proofs
from alert_service.tables import dailies, days, deliveries, events, happenings, letters
from alert_service.telling.reader import Reader
from shared.keeping.database import Store
from shared.mail import compose
from shared.words.internal_alerts import ChainBroken, ChainStatus
from shared.words.messages import UserRef, utc
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import ADA, START, Clock, Postman, event, masters, work
from tests.unit.alert_service.record_parts import DAY, acts, all_rows, tell

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
UNCHECKED = ChainStatus(row=0, hash=chain.GENESIS)
MORNING = datetime(2026, 11, 24, 7, 0, tzinfo=BERLIN).timestamp()


def writing(store: Store, clock: Clock, status: ChainStatus = UNCHECKED, *, at: str = "07:00") -> DailyLetter:
    return DailyLetter(store, at, BERLIN, lambda: status, now=clock)


async def read_by(store: Store, *people: str) -> None:
    async with store.write() as connection:
        await mailbox.set_people(connection, masters(*(people or ("ada@example.org",))), START)


def sending(store: Store, postman: Postman, clock: Clock) -> Outbox:
    return Outbox(store, postman, Manner(zone=BERLIN, per_minute=1000, alone=1), now=clock)


@pytest.mark.parametrize(
    ("at", "now", "due"),
    [
        ("07:00", "2026-11-24T06:00:00+00:00", "2026-11-24T07:00:00+01:00"),
        ("07:00", "2026-11-24T05:59:59+00:00", "2026-11-23T07:00:00+01:00"),
        ("00:00", "2026-11-23T23:00:00+00:00", "2026-11-24T00:00:00+01:00"),
        ("23:59", "2026-11-24T00:00:00+00:00", "2026-11-23T23:59:00+01:00"),
        ("02:30", "2026-03-29T00:59:59+00:00", "2026-03-28T02:30:00+01:00"),
        ("02:30", "2026-03-29T01:00:00+00:00", "2026-03-29T03:00:00+02:00"),  # an hour that is skipped: what follows it
        ("02:30", "2026-10-25T00:30:00+00:00", "2026-10-25T02:30:00+02:00"),  # an hour that comes twice: the first
        ("02:30", "2026-10-25T01:45:00+00:00", "2026-10-25T02:30:00+02:00"),
    ],
)
def test_it_is_due_when_the_homes_clock_shows_the_time(at: str, now: str, due: str) -> None:
    found = daily.last_due(at, BERLIN, datetime.fromisoformat(now))
    assert found.moment == datetime.fromisoformat(due).astimezone(UTC)


async def test_one_a_day_however_often_the_service_starts(store: Store, clock: Clock) -> None:
    await read_by(store)
    await tell(store, acts(3))
    clock.time = MORNING - 1
    assert not await writing(store, clock).round()
    made = []
    for _ in range(3 * 24 * 4):
        clock.time += 900
        made += [clock.time] if await writing(store, clock).round() else []
    assert len(made) == 3
    async with store.read() as connection:
        assert (await connection.execute(select(dailies.c.day).order_by(dailies.c.day))).scalars().all() == [
            "2026-11-24",
            "2026-11-25",
            "2026-11-26",
        ]


async def test_days_that_were_slept_through_are_told_in_one_letter(store: Store, clock: Clock) -> None:
    await read_by(store)
    await tell(store, acts(3))
    clock.time = MORNING + 5 * DAY + 60
    assert await writing(store, clock).round()
    assert not await writing(store, clock).round()


async def test_a_new_home_is_not_written_to_before_its_first_morning(store: Store, clock: Clock) -> None:
    await read_by(store)
    clock.time = MORNING + 3600
    assert not await writing(store, clock).round()
    await tell(store, acts(1), clock.time)
    assert not await writing(store, clock).round()
    clock.time += DAY
    assert await writing(store, clock).round()


async def test_it_waits_for_somebody_to_read_it(store: Store, clock: Clock) -> None:
    await tell(store, acts(1))
    clock.time = MORNING + 60
    assert not await writing(store, clock).round()
    await read_by(store)
    assert await writing(store, clock).round()


async def test_never_makes_none_and_ends(store: Store, clock: Clock) -> None:
    await writing(store, clock, at=daily.NEVER).run(made=lambda: None)


async def test_it_tells_the_head_and_the_day_in_figures(store: Store, clock: Clock, postman: Postman) -> None:
    await read_by(store, "ada@example.org", "grace@example.org")
    told = [
        ("gateway", event(id="asked", command_id="c1", outcome=Outcome.ASKED)),
        ("hall", event(id="done", command_id="c1")),
        ("gateway", event(id="refused", command_id="c2", outcome=Outcome.REJECTED)),
        ("gateway", event(id="open", command_id="c3", outcome=Outcome.ASKED)),
        ("auth", event(id="burst", what="account:sign-in-failed", command_id=None, severity=Severity.SECURITY)),
    ]
    await tell(store, [*acts(4), *told])
    clock.time = START + 1
    outbox = sending(store, postman, clock)
    await work(outbox)
    clock.time = MORNING + 5
    status = ChainStatus(row=9, hash="f" * 64, checked_at=utc(MORNING))
    assert await writing(store, clock, status).round()
    await tell(store, acts(1, first=99), clock.time + 1)  # what comes later is the next letter's
    postman.letters.clear()
    await work(outbox)
    letters_of_today = [one for one in postman.letters if "Daily" in one.subject]
    assert {one.to for one in letters_of_today} == {"ada@example.org", "grace@example.org"}
    one = letters_of_today[0]
    assert one.subject == "Daily record of Tuesday, 24 November 2026: whole"
    head = (await all_rows(store))[8]
    lines = one.text.splitlines()
    assert lines[lines.index("row 9") + 1] == f"  {head.hash}"
    assert "Events:   9, of them 1 about security" in lines
    assert "Critical: 1 executed, 1 refused, 1 not ended yet" in lines
    assert lines[0] == "Tuesday, 24 November 2026: the record is whole."
    assert lines[2] == "At the doors and locks: Front door (hall) unlocked (Ada)."
    assert lines[4] == "Odd was: 1 act was refused."
    assert one.html is not None
    assert head.hash in one.html
    message = compose(one, "Home <home@localhost>", clock.time).as_bytes()
    assert proofs.read(message) == [proofs.Proof(9, head.hash, None)]


@pytest.mark.parametrize(
    ("status", "subject", "line"),
    [
        (UNCHECKED, "Daily record of Tuesday, 24 November 2026: not checked yet", "not since the service was started"),
        (
            ChainStatus(row=3, hash="a", checked_at=utc(START), broken=ChainBroken(row=4, reason="was changed")),
            "Security: Daily record of Tuesday, 24 November 2026: BROKEN at row 4",
            "Row 4 was changed",
        ),
    ],
)
async def test_it_says_when_the_record_is_not_known_to_be_whole(
    store: Store, clock: Clock, postman: Postman, status: ChainStatus, subject: str, line: str
) -> None:
    await read_by(store)
    await tell(store, acts(3))
    clock.time = MORNING
    await writing(store, clock, status).round()
    await work(sending(store, postman, clock))
    assert postman.letters[0].subject == subject
    assert line in postman.letters[0].text
    assert postman.letters[0].html is not None
    assert line in postman.letters[0].html


async def test_an_absent_mail_server_delays_it_and_changes_nothing_in_it(
    store: Store, clock: Clock, postman: Postman
) -> None:
    await read_by(store)
    await tell(store, acts(3))
    head = (await all_rows(store))[-1].hash
    clock.time = MORNING
    assert await writing(store, clock).round()
    postman.away = True
    outbox = sending(store, postman, clock)
    await work(outbox)
    await tell(store, acts(3, first=10))
    postman.away = False
    clock.time += 6 * 3600
    await work(sending(store, postman, clock))  # another process, too
    (one,) = postman.letters
    assert f"row 3\n  {head}" in one.text


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-7200, 2 * 86_400), min_size=1, max_size=12))
async def test_there_is_never_a_second_letter_of_a_day(store: Store, jumps: list[int]) -> None:
    async with store.write() as connection:
        for table in (dailies, deliveries, letters, events, days):
            await connection.execute(delete(table))
    clock = Clock()
    await read_by(store)
    await tell(store, acts(1))
    for jump in jumps:
        clock.time += jump
        await writing(store, clock).round()
    async with store.read() as connection:
        made = [row.day for row in (await connection.execute(select(dailies))).all()]
        sent = (await connection.execute(select(deliveries.c.letter))).scalars().all()
    assert len(made) == len(set(made)) == len(sent)


async def test_the_day_is_told_in_three_sentences(store: Store, clock: Clock, postman: Postman) -> None:
    await read_by(store)
    day = [
        (source, event(id=f"{source}{n}", command_id=f"c{n}", outcome=outcome, user=user))
        for n, user in enumerate((ADA, ADA, UserRef(id="u2", name="Ben")))
        for source, outcome in (("gateway", Outcome.ASKED), ("hall", Outcome.EXECUTED))
    ]
    away = event(id="away", what="room:offline", where="garage", command_id=None, outcome=Outcome.FAILED)
    await tell(store, [*day, ("alerts", away)])
    at = int((START + 60) * 1_000_000)
    moved = {"source": "hall", "id": "o1", "seq": 0, "at": at, "until": at, "times": 14, "received_at": at, "event": ""}
    async with store.write() as connection:
        await connection.execute(
            insert(happenings).values(what="device:opened", place="hall/window", room="hall", **moved)
        )
    clock.time = MORNING + 5
    assert await writing(store, clock, ChainStatus(row=8, hash="f" * 64, checked_at=utc(MORNING))).round()
    await work(sending(store, postman, clock))
    text = next(one.text for one in postman.letters if "Daily" in one.subject)
    assert [" ".join(part.split()) for part in text.split("\n\n")[1:4]] == [
        "At the doors and locks: Front door (hall) unlocked 3 times (Ada, Ben), Window (hall) opened 14 times.",
        "Odd was: room garage away.",
        "The record is whole; letters that wait: 4.",
    ]


def test_what_was_kept_of_a_day_before_it_had_a_story_can_still_be_told() -> None:
    older = (
        b'{"day":"2026-11-24","since":0,"until":1,"row":0,"hash":"","events":0,"security":0,"critical":{},"sent":0,'
        b'"waiting":0,"refused":0,"gathered":{},"removed":{},"status":{"row":0,"hash":""}}'
    )
    written = daily.write(msgspec.json.decode(older, type=daily.Figures), Reader(zone=BERLIN))
    assert "Nothing was odd." in written.text
