"""When a rule on happenings has something to tell: against a reference that looks at the door every minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from alert_service.chain import chain
from alert_service.telling import noticed
from alert_service.telling.noticed import GRACE, Happening, NoticeRule, Verdict
from alert_service.telling.policy import Rule
from tests.unit.alert_service.telling.test_hours import CHANGES, ZONES, fits

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def one(rule: Rule) -> NoticeRule:
    (found,) = noticed.read([rule])
    return found


def happened(
    at: datetime,
    *,
    what: str = "device:opened",
    place: str = "garage/door-contact",
    until: datetime | None = None,
    times: int = 1,
    seq: int = 1,
    number: int = 1,
) -> Happening:
    moment = chain.microseconds(at)
    last = moment if until is None else chain.microseconds(until)
    return Happening(
        number=number,
        source=place.partition("/")[0],
        id=f"h{number}",
        seq=seq,
        what=what,
        place=place,
        at=moment,
        until=last,
        received_at=last,
        times=times,
    )


OPEN = Rule(what="device:opened", lasting="10 min")
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


def verdict(rule: Rule, told: Happening, ended: datetime | None, now: datetime) -> Verdict:
    read = one(rule)
    moment = noticed.due(read, told, BERLIN)
    return noticed.judge(moment, read, None if ended is None else chain.microseconds(ended), chain.microseconds(now))


def test_what_is_to_last_is_waited_for_and_told_while_it_lasts() -> None:
    told = happened(NOON)
    assert verdict(OPEN, told, None, NOON + 9 * MINUTE) is Verdict.WAIT
    assert verdict(OPEN, told, None, NOON + 10 * MINUTE) is Verdict.WAIT  # its end may be under way
    assert verdict(OPEN, told, None, NOON + 10 * MINUTE + timedelta(microseconds=GRACE)) is Verdict.TELL
    assert verdict(OPEN, told, NOON + 9 * MINUTE, NOON + 30 * MINUTE) is Verdict.NOTHING
    assert verdict(OPEN, told, NOON + 10 * MINUTE, NOON + 30 * MINUTE) is Verdict.TELL


def test_an_end_that_comes_late_still_tells_of_what_lasted() -> None:
    assert verdict(OPEN, happened(NOON), NOON + 20 * MINUTE, NOON + timedelta(hours=5)) is Verdict.TELL


def test_a_hum_lasts_from_its_last_time() -> None:
    hum = happened(NOON, until=NOON + 30 * MINUTE, times=300)
    assert verdict(OPEN, hum, None, NOON + 35 * MINUTE) is Verdict.WAIT
    assert verdict(OPEN, hum, None, NOON + 41 * MINUTE) is Verdict.TELL


def test_what_is_still_open_when_the_hours_begin_is_told_then() -> None:
    rule = Rule(what="device:opened", lasting="10 min", between="23:00-06:00")
    evening = datetime(2026, 7, 1, 20, 0, tzinfo=BERLIN)
    eleven = datetime(2026, 7, 1, 23, 0, tzinfo=BERLIN)
    assert noticed.due(one(rule), happened(evening), BERLIN) == chain.microseconds(eleven)
    assert verdict(rule, happened(evening), eleven - MINUTE, eleven + MINUTE) is Verdict.NOTHING


def test_some_of_a_hum_lies_in_the_hours() -> None:
    rule = Rule(what="device:opened", between="23:00-06:00")
    evening, night = datetime(2026, 7, 1, 22, 0, tzinfo=BERLIN), datetime(2026, 7, 2, 1, 0, tzinfo=BERLIN)
    assert noticed.due(one(rule), happened(evening, until=night, times=9), BERLIN) is not None
    assert noticed.due(one(rule), happened(evening), BERLIN) is None


@given(
    st.sampled_from(ZONES),
    st.sampled_from(CHANGES),
    st.integers(-1500, 1500),
    st.integers(1, 90),
    st.integers(0, 600),
    st.integers(0, 1439),
    st.integers(1, 700),
)
def test_a_door_is_told_of_just_where_somebody_who_looks_every_minute_would(
    zone: ZoneInfo, change: datetime, off: int, lasting: int, open_for: int, start: int, length: int
) -> None:
    end = (start + length) % 1440
    between = f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
    rule = one(Rule(what="device:opened", lasting=f"{lasting} min", between=between))
    opened = change + off * MINUTE
    looks = (opened + minutes * MINUTE for minutes in range(lasting, open_for + 1))
    seen = next((look for look in looks if fits(rule.hours, zone, look)), None)
    moment = noticed.due(rule, happened(opened), zone)
    closed = chain.microseconds(opened + open_for * MINUTE)
    told = noticed.judge(moment, rule, closed, closed) is Verdict.TELL
    assert told == (seen is not None)
    if seen is not None:
        assert moment == chain.microseconds(seen)


@given(st.permutations(range(6)), st.booleans())
def test_a_rooms_own_order_holds_in_whatever_order_it_arrives(arrival: list[int], clock_falls: bool) -> None:
    told = [
        happened(NOON + (-1 if clock_falls else 1) * seq * MINUTE, seq=seq + 1, number=arrival.index(seq) + 1)
        for seq in range(6)
    ]
    for earlier in range(6):
        for later in range(6):
            assert noticed.follows(told[later], told[earlier]) == (later > earlier)


def test_every_rule_that_fits_has_its_letter_down_to_one_that_wants_none() -> None:
    rules = noticed.read(
        [
            Rule(name="a", what="device:opened", where="garage/*"),
            Rule(name="acts", what="device:*"),
            Rule(name="none", what="device:opened", where="garage/door-contact", letter=False),
            Rule(name="b", what=("device:opened", "device:closed")),
        ]
    )
    assert [rule.name for rule in noticed.wanted(rules, happened(NOON))] == ["a"]
    assert [rule.name for rule in noticed.wanted(rules, happened(NOON, place="garage/window"))] == ["a", "b"]


def test_a_rule_is_known_by_what_it_asks_for() -> None:
    plain, other = one(OPEN), one(Rule(what="device:opened", lasting="11 min"))
    renamed = one(Rule(name="x", what="device:opened", lasting="10 min", to="everyone", urgent=True))
    assert plain.key == renamed.key != other.key
