"""What letters about happenings say: where, when and for how long, in the home's zone, and how sure that is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from alert_service.chain import chain
from alert_service.letters import notices
from alert_service.telling.reader import Reader
from alert_service.telling.tidings import Doubt, Letter, Tiding
from shared.words.languages import tongue

BERLIN = ZoneInfo("Europe/Berlin")
READER = Reader(zone=BERLIN)
GERMAN = Reader(zone=BERLIN, tongue=tongue("de"))
TWO = datetime(2026, 7, 1, 12, 2, tzinfo=UTC)  # 14:02 on the wall
MINUTE = timedelta(minutes=1)


def at(moment: datetime) -> int:
    return chain.microseconds(moment)


OPENED = Tiding(what="device:opened", place="garage/door-contact", at=at(TWO), until=at(TWO), received_at=at(TWO))
WAITED = msgspec.structs.replace(OPENED, told_after=600_000_000)
CLOSED = msgspec.structs.replace(
    OPENED, ended_at=at(TWO + 14 * MINUTE), end_received_at=at(TWO + 14 * MINUTE), told_after=600_000_000
)


def letter(told: Tiding, form: str = "began", *, after: timedelta = 10 * MINUTE, reader: Reader = READER) -> str:
    made = msgspec.convert(
        {"form": form, "rule": "the garage", "urgent": False, "made_at": at(TWO + after), "tidings": [], "count": 1},
        Letter,
    )
    written = notices.write(msgspec.structs.replace(made, tidings=(told,)), "garage", reader)
    assert written.subject == written.text.splitlines()[0].rstrip(".") or len(written.text.splitlines()[0]) > 60
    return " ".join(written.text.split())


def test_a_door_that_is_open() -> None:
    assert letter(WAITED).startswith("Door contact (garage) has been open for 10 minutes, since 14:02.")
    assert letter(OPENED, after=timedelta(0)).startswith("Door contact (garage) was opened at 14:02.")
    assert "Rule: the garage" in letter(WAITED)


def test_a_door_that_is_closed_again() -> None:
    assert letter(CLOSED, "ended", after=14 * MINUTE).startswith(
        "Door contact (garage) was closed again at 14:16, after 14 minutes."
    )
    assert letter(CLOSED, "both", after=60 * MINUTE).startswith(
        "Door contact (garage) was open for 14 minutes, from 14:02 to 14:16; it is closed again."
    )


def test_what_was_heard_of_late_says_so_and_on_which_day() -> None:
    late = msgspec.structs.replace(CLOSED, end_received_at=at(TWO + timedelta(hours=20)))
    told = letter(late, "both", after=timedelta(hours=20))
    assert "from 14:02 to 14:16 on 1 Jul 2026; it is closed again" in told
    assert "Heard of: Thursday, 2 July 2026, 10:02:00 CEST" in told


def test_a_length_that_a_clock_spoilt_is_not_told() -> None:
    odd = msgspec.structs.replace(CLOSED, ended_at=at(TWO - MINUTE))
    assert "For how long it was open is not known" in letter(odd, "ended")


def test_doubt_is_told_as_far_as_known() -> None:
    told = letter(msgspec.structs.replace(WAITED, doubts=(Doubt("room-away", at(TWO + 5 * MINUTE)),)))
    assert "As far as known: its room has been away since 14:07" in told


def test_who_is_at_home_is_told_where_the_rule_asks() -> None:
    press = msgspec.structs.replace(OPENED, what="device:pressed", place="hall/doorbell")
    bell = msgspec.structs.replace(press, event="double", nobody_home=True)
    assert letter(bell).startswith("Doorbell (hall) was pressed twice at 14:02. Nobody was signed in at home.")
    assert "is not known" in letter(msgspec.structs.replace(bell, nobody_home=False))


def test_the_doubled_hour_is_told_with_its_zone() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    one, other = (
        letter(msgspec.structs.replace(OPENED, at=at(moment), until=at(moment)), after=first - TWO)
        for moment in (first, first + 60 * MINUTE)
    )
    assert "02:30:00 CEST" in one
    assert "02:30:00 CET" in other


def test_a_hum_and_a_sum() -> None:
    hum = msgspec.structs.replace(OPENED, times=312, until=at(TWO + 9 * MINUTE))
    assert letter(hum).startswith("Door contact (garage) was opened 312 times, from 14:02 to 14:11.")
    made = Letter(form="sum", rule="", urgent=False, made_at=at(TWO + 60 * MINUTE), tidings=(hum, CLOSED), count=400)
    made = msgspec.structs.replace(made, last_at=hum.until)
    text = " ".join(notices.write(made, "garage", READER).text.split())
    assert text.startswith("Door contact (garage): 400 times more, the last at 14:11.")
    assert "And 87 more" in text


def test_the_same_in_german() -> None:
    assert letter(CLOSED, "ended", after=14 * MINUTE, reader=GERMAN).startswith(
        "Door contact (garage): um 14:16 wieder geschlossen (Dauer: 14 Minuten)."
    )


def test_a_rules_name_is_cleaned() -> None:
    made = Letter(form="began", rule="a\r\nBcc: x", urgent=False, made_at=at(TWO), tidings=(OPENED,))
    assert "\nBcc" not in notices.write(made, "garage", READER).text
