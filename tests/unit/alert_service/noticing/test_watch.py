"""Each happening that a rule is on is told once, and once more when it has ended, whatever comes in between."""

import pytest
from sqlalchemy import func, select

from alert_service.noticing import bounds, rows
from alert_service.tables import notices
from alert_service.telling.policy import Rule
from shared.keeping.database import Store
from tests.unit.alert_service.noticing.house import ADA, NOON, House

OPEN = Rule(name="garage", what="device:opened", where="garage/*", lasting="10 min")
AT_ONCE = Rule(what="device:opened")
BELL = Rule(name="bell", what="device:pressed", unless="somebody-at-home")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NIGHT = NOON + 15 * HOUR  # 3 o'clock


@pytest.fixture
async def house(store: Store) -> House:
    made = House(store, OPEN)
    await made.ready()
    return made


async def other(store: Store, *rules: Rule) -> House:
    made = House(store, *rules)
    await made.ready()
    return made


async def kept(house: House, state: str) -> int:
    async with house.store.read() as connection:
        counting = select(func.count()).select_from(notices).where(notices.c.state == state)
        return (await connection.execute(counting)).scalar_one()


async def test_a_door_that_stays_open_is_told_once_and_once_that_it_is_closed_again(house: House) -> None:
    await house.opens()
    await house.passes(9 * MINUTE)
    assert await house.forms() == []
    await house.passes(2 * MINUTE)
    assert await house.forms() == ["began"]
    await house.passes(3 * MINUTE)
    await house.closes()
    await house.passes(DAY)
    began, ended = await house.letters()
    assert (began.form, ended.form) == ("began", "ended")
    assert ended.tidings[0].lasted == 14 * MINUTE * 1e6
    assert await house.addressed() == [ADA, ADA]
    assert await kept(house, "done") == 1


async def test_a_door_that_closes_in_time_is_no_news(house: House) -> None:
    await house.opens()
    await house.passes(9 * MINUTE)
    await house.closes()
    await house.passes(DAY)
    assert await house.forms() == []


async def test_an_end_that_is_still_under_way_at_ten_minutes_counts(house: House) -> None:
    at = house.time
    await house.opens()
    await house.passes(10 * MINUTE + 3)
    await house.closes(at=at + 9.9 * MINUTE)
    await house.passes(HOUR)
    assert await house.forms() == []


async def test_a_restart_between_opening_and_ten_minutes_neither_loses_nor_repeats_it(house: House) -> None:
    await house.opens()
    await house.passes(4 * MINUTE)
    await house.restart(after=2 * MINUTE)
    await house.passes(5 * MINUTE)
    assert await house.forms() == ["began"]
    await house.restart()
    await house.passes(HOUR)
    await house.closes()
    await house.restart()
    await house.passes(HOUR)
    assert await house.forms() == ["began", "ended"]


async def test_what_ended_while_we_were_away_is_heard_before_it_is_said_to_last(house: House) -> None:
    at = house.time
    await house.opens()
    await house.restart(after=30 * MINUTE)
    await house.passes(20)
    await house.closes(at=at + 5 * MINUTE)  # what the broker kept for us
    await house.passes(HOUR)
    assert await house.forms() == []


async def test_a_door_that_closed_before_we_heard_of_it_is_told_in_one_letter(house: House) -> None:
    at = house.time
    await house.passes(30 * MINUTE)
    await house.happens("device:opened", at=at)
    await house.happens("device:closed", at=at + 20 * MINUTE)
    await house.passes(DAY)
    (letter,) = await house.letters()
    assert letter.form == "both"
    assert letter.tidings[0].lasted == 20 * MINUTE * 1e6


async def test_an_end_that_arrives_before_its_beginning_is_its_end(house: House) -> None:
    at = house.time
    await house.passes(30 * MINUTE)
    await house.happens("device:closed", at=at + 20 * MINUTE, seq=8)
    await house.look()
    await house.happens("device:opened", at=at, seq=7)
    await house.passes(DAY)
    assert await house.forms() == ["both"]


async def test_a_room_whose_clock_was_set_back_still_closes_its_door(house: House) -> None:
    at = house.time
    await house.opens()
    await house.passes(5 * MINUTE)
    await house.closes(at=at - HOUR)
    await house.passes(DAY)
    assert await house.forms() == []


async def test_a_room_that_counts_anew_still_closes_its_door(house: House) -> None:
    await house.happens("device:opened", seq=500)
    await house.passes(11 * MINUTE)
    house.seqs.clear()
    await house.happens("device:closed", "garage/door-contact", seq=501)
    await house.passes(MINUTE)
    assert await house.forms() == ["began", "ended"]


async def test_an_opening_that_is_told_again_is_the_same(house: House) -> None:
    await house.opens()
    await house.passes(11 * MINUTE)
    await house.opens()
    await house.passes(HOUR)
    await house.closes()
    assert await house.forms() == ["began", "ended"]
    await house.passes(2 * HOUR)
    await house.opens()
    await house.passes(11 * MINUTE)
    assert await house.forms() == ["began", "ended", "began"]


async def test_an_opening_whose_end_was_never_heard_hides_none_on_another_day(house: House) -> None:
    await house.opens()
    await house.passes(25 * HOUR)
    await house.opens()
    await house.passes(11 * MINUTE)
    assert await house.forms() == ["began", "began"]


async def test_nothing_is_lost_before_anybody_can_be_told(store: Store) -> None:
    house = House(store, AT_ONCE)
    await house.watch.look()
    await house.opens()
    await house.passes(MINUTE)
    assert await house.forms() == []
    await house.people(ADA)
    await house.passes(MINUTE)
    assert await house.forms() == ["began"]


async def test_a_rule_begins_with_what_happens_after_it_was_written(store: Store) -> None:
    house = await other(store)
    await house.opens()
    await house.closes()
    await house.restart(AT_ONCE)
    await house.passes(HOUR)
    assert await house.forms() == []
    await house.opens()
    assert await house.forms() == ["began"]


async def test_who_forgot_how_far_it_came_repeats_nothing_and_goes_on(store: Store) -> None:
    house = await other(store, AT_ONCE)
    await house.opens()
    await house.closes()
    async with store.write() as connection:
        await rows.set_cursor(connection, 0)
    await house.look()
    await house.opens()
    assert await house.forms() == ["began", "ended", "began"]


async def test_a_rule_that_is_gone_tells_nothing_more(house: House) -> None:
    await house.opens()
    await house.restart(Rule(what="device:pressed"))
    await house.passes(HOUR)
    assert await house.forms() == []
    assert await kept(house, "waiting") == 0


async def test_a_doorbell_is_told_where_nobody_is_at_home_or_nobody_knows(store: Store) -> None:
    house = await other(store, BELL)
    for house.home, letters in ((True, 0), (False, 1), (None, 2)):
        await house.happens("device:pressed", "hall/doorbell", event="press")
        await house.passes(2 * HOUR)
        assert len(await house.letters()) == letters
    assert [letter.tidings[0].nobody_home for letter in await house.letters()] == [True, False]


async def test_who_is_at_home_now_says_nothing_of_a_press_ten_minutes_ago(store: Store) -> None:
    house = await other(store, BELL)
    house.home = True
    await house.happens("device:pressed", "hall/doorbell", at=house.time - 10 * MINUTE)
    await house.passes(MINUTE)
    (letter,) = await house.letters()
    assert letter.tidings[0].nobody_home is False


async def test_nobody_is_asked_who_is_at_home_where_nothing_happens(store: Store) -> None:
    house = await other(store, BELL)
    await house.passes(HOUR)
    assert house.asked == 0


async def test_hours_and_days_choose(store: Store) -> None:
    night = Rule(what="device:opened", between="23:00-06:00")
    house = await other(store, night)
    await house.opens()
    await house.closes()
    assert await house.forms() == []
    await house.passes(NIGHT - house.time)
    await house.opens()
    assert await house.forms() == ["began"]
    await house.passes(10 * HOUR)
    await house.closes()
    assert await house.forms() == ["began", "ended"]


async def test_a_contact_that_hums_all_night_makes_few_letters(store: Store) -> None:
    house = await other(store, Rule(what="device:opened", between="23:00-06:00"))
    await house.passes(NIGHT - 4 * HOUR - house.time)
    for _ in range(7 * 12):
        await house.opens()
        await house.passes(100)
        await house.closes()
        await house.passes(200)
    await house.passes(DAY)
    forms = await house.forms()
    assert forms.count("sum") == 7
    assert forms.count("began") == forms.count("ended") <= 7 * bounds.ALONE
    told = await house.letters()
    assert sum(letter.count for letter in told if letter.form in {"began", "sum"}) == 84


async def test_a_hum_that_is_summed_is_one_letter_and_no_open_door(store: Store) -> None:
    house = await other(store, OPEN, AT_ONCE)
    begin = house.time
    await house.passes(HOUR)
    await house.happens("device:closed", at=begin, until=begin + 3500, times=300)
    await house.happens("device:opened", at=begin, until=begin + 3499, times=300)
    await house.passes(DAY)
    (letter,) = await house.letters()
    assert (letter.form, letter.tidings[0].times, letter.rule) == ("both", 300, "")


async def test_ten_thousand_of_yesterday_are_one_letter_in_the_morning(store: Store) -> None:
    house = await other(store, AT_ONCE)
    await house.passes(NIGHT - house.time)
    yesterday = house.time - 12 * HOUR
    await house.many(
        [
            house.row(
                "garage",
                "device:closed" if number % 2 else "device:opened",
                "garage/door-contact",
                yesterday + number,
                seq=number + 1,
            )
            for number in range(10_000)
        ]
    )
    await house.passes(3 * HOUR)
    assert await house.forms() == []
    await house.passes(2 * HOUR)
    (letter,) = await house.letters()
    assert (letter.form, letter.late, letter.count) == ("sum", True, 5000)
    assert len(letter.tidings) == 20


async def test_what_was_told_and_ended_yesterday_waits_for_the_morning(house: House) -> None:
    await house.opens()
    at = house.time
    await house.passes(NIGHT - house.time)
    await house.closes(at=at + HOUR)
    assert await house.forms() == ["began"]
    await house.restart()
    await house.passes(5 * HOUR)
    assert await house.forms() == ["began", "ended"]


async def test_it_is_told_why_nobody_can_be_sure(house: House) -> None:
    await house.opens()
    await house.passes(2 * MINUTE)
    await house.happens("room:away", "garage")
    await house.passes(9 * MINUTE)
    (letter,) = await house.letters()
    assert [doubt.why for doubt in letter.tidings[0].doubts] == ["room-away"]


async def test_a_room_that_came_back_leaves_no_doubt(house: House) -> None:
    await house.opens()
    await house.happens("room:away", "garage")
    await house.passes(1)
    await house.happens("room:back", "garage")
    await house.passes(11 * MINUTE)
    (letter,) = await house.letters()
    assert letter.tidings[0].doubts == ()


@pytest.mark.parametrize("seconds", [7200.0, -7200.0])
async def test_a_clock_that_is_set_neither_hurries_a_letter_nor_holds_it_up(house: House, seconds: float) -> None:
    await house.opens()
    await house.passes(5 * MINUTE)
    house.time += seconds
    await house.passes(4 * MINUTE)
    assert await house.forms() == []
    await house.passes(2 * MINUTE)
    assert await house.forms() == ["began"]
    await house.passes(3 * MINUTE)
    await house.closes()
    _, ended = await house.letters()
    assert ended.tidings[0].lasted == 14 * MINUTE * 1e6


async def test_a_room_that_is_away_lasts_and_ends_too(store: Store) -> None:
    house = await other(store, Rule(what="room:away", where="garage", lasting="5 min", to="everyone"))
    await house.happens("room:away", "garage")
    await house.passes(6 * MINUTE)
    await house.happens("room:back", "garage")
    await house.passes(MINUTE)
    assert await house.forms() == ["began", "ended"]
