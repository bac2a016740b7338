"""Is my home set up safely? What is wrong is found, and what nobody could look at never counts as well."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.pages.house_words import told
from gateway.picture import kept
from gateway.picture.kept import Disk, Facts, RoomKept, checks
from shared.words.internal_alerts import AlertsReady, ChainBroken, ChainStatus, MailStatus
from shared.words.internal_house import Enrolled, HouseKept, Person
from shared.words.names import Role
from shared.words.noted import BackupMade, DoctorLine, DoctorReport

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAIL = MailStatus(letters_waiting=0, letters_refused=0, recipients_known=True, failing_since=None, failure=None)
BROKEN = ChainStatus(row=3, hash="ab", broken=ChainBroken(row=4, reason="was changed"))
SOUND = ChainStatus(row=9, hash="ab", checked_at=NOW)
ALERTS = AlertsReady(broker=True, recording=True, mail=MAIL, chain=SOUND)
HALL = Enrolled(name="hall", role="room", enrolled_at=NOW, ends_at=NOW + timedelta(days=60))
ADA = Person(name="Ada", role=Role.MASTER, strong=True, signed_in_at=None)
HOUSE = HouseKept(enrolled=(HALL,), people=(ADA,), unsigned=None)
REPORT = DoctorReport(well=True, at=NOW, findings=[DoctorLine("disk", "well", "room", "")])
WELL = Facts(
    now=NOW,
    version="2",
    demo=False,
    writable=True,
    rooms=(RoomKept(id="hall", name="Hall", status="online", version="2"),),
    house=HOUSE,
    alerts=ALERTS,
    disk=Disk(free=2**40, total=2**41),
    doctor=REPORT,
    backup=BackupMade(at=NOW - timedelta(days=3), size=9),
    missing={},
)
EVERYTHING = {"demo", "strong", "certificates", "versions", "proof", "letters", "record", "disk", "backup", "waiting"}


def states(**changed: Any) -> dict[str, str]:
    """What is not well, of a home in which these facts are others."""
    found = checks(msgspec.structs.replace(WELL, **changed))
    return {one.about: one.state for one in found if one.state != "well"}


def house(**changed: Any) -> HouseKept:
    return msgspec.structs.replace(HOUSE, **changed)


def alerts(**changed: Any) -> AlertsReady:
    return msgspec.structs.replace(ALERTS, **changed)


def test_a_home_that_is_well_is_so_in_everything() -> None:
    assert {one.about for one in checks(WELL)} == EVERYTHING | {"doctor"}
    assert states() == {}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"demo": True}, "demo"),
        ({"writable": False}, "proof"),
        ({"house": house(waiting=2)}, "waiting"),
        ({"house": house(people=(msgspec.structs.replace(ADA, strong=False),))}, "strong"),
        ({"house": house(enrolled=(msgspec.structs.replace(HALL, ends_at=NOW + timedelta(days=29)),))}, "certificates"),
        ({"house": house(enrolled=(msgspec.structs.replace(HALL, ends_at=NOW - timedelta(days=1)),))}, "certificates"),
        ({"rooms": (RoomKept(id="hall", name="Hall", status="online", version="1"),)}, "versions"),
        ({"alerts": alerts(mail=msgspec.structs.replace(MAIL, failing_since=NOW))}, "letters"),
        ({"alerts": alerts(mail=msgspec.structs.replace(MAIL, letters_refused=1))}, "letters"),
        ({"alerts": alerts(mail=msgspec.structs.replace(MAIL, recipients_known=False))}, "letters"),
        (
            {"alerts": alerts(chain=ChainStatus(row=3, hash="ab", broken=ChainBroken(row=4, reason="was changed")))},
            "record",
        ),
        ({"alerts": alerts(recording=False)}, "recording"),
        ({"disk": Disk(free=kept.FREE_BYTES - 1, total=2**41)}, "disk"),
        ({"backup": None}, "no-backup"),
        ({"backup": BackupMade(at=NOW - timedelta(days=32), size=9)}, "backup"),
        (
            {"doctor": DoctorReport(well=False, at=NOW, findings=[DoctorLine("modes", "wrong", "open", "chmod")])},
            "doctor-fault",
        ),
    ],
)
def test_what_is_wrong_is_found_and_nothing_else(changed: dict[str, Any], wrong: str) -> None:
    assert states(**changed) == {wrong: "wrong"}


@pytest.mark.parametrize(
    ("changed", "unknown"),
    [
        ({"house": None}, {"strong", "certificates", "waiting"}),
        ({"house": house(unsigned="It does not answer.")}, {"certificates"}),
        ({"house": house(enrolled=(msgspec.structs.replace(HALL, ends_at=None),))}, {"no-ends"}),
        ({"rooms": (RoomKept(id="hall", name="Hall", status="unknown", version=None),)}, {"no-version"}),
        ({"alerts": None}, {"letters", "record"}),
        ({"alerts": alerts(chain=ChainStatus(row=0, hash=""))}, {"record"}),
        ({"disk": None}, {"disk"}),
        ({"backup": None, "missing": {"backup": "It cannot be read."}}, {"backup"}),
        ({"doctor": None}, {"no-doctor"}),
        ({"doctor": msgspec.structs.replace(REPORT, at=NOW - timedelta(days=32))}, {"old-doctor"}),
        (
            {"doctor": DoctorReport(well=True, at=NOW, findings=[DoctorLine("mail", "skipped", "later", "")])},
            {"doctor-skipped"},
        ),
    ],
)
def test_what_could_not_be_looked_at_is_never_well(changed: dict[str, Any], unknown: set[str]) -> None:
    assert states(**changed) == dict.fromkeys(unknown, "unknown")


def test_a_room_that_is_off_was_looked_at_by_the_doctor_and_is_told_with_the_rooms() -> None:
    off = DoctorLine("rooms", "skipped", "room garage is offline", "", noted=True)
    (found,) = (
        one
        for one in checks(msgspec.structs.replace(WELL, doctor=DoctorReport(well=True, at=NOW, findings=[off])))
        if "doctor" in one.about
    )
    assert (found.about, found.state) == ("doctor", "well")


def test_a_demo_of_which_nothing_is_known_has_nothing_well_that_needs_looking() -> None:
    facts = msgspec.structs.replace(WELL, house=None, alerts=None, disk=None, doctor=None, backup=None)
    assert {one.about for one in checks(facts) if one.state == "well"} == {"demo", "versions", "proof"}


def test_what_is_wrong_comes_first_then_what_is_unknown() -> None:
    found = [one.state for one in checks(msgspec.structs.replace(WELL, backup=None, disk=None))]
    assert found == sorted(found, key=["wrong", "unknown", "well"].index)


def test_each_finding_has_a_sentence_its_number_and_what_to_do() -> None:
    variants: list[dict[str, Any]] = [
        {},
        {"demo": True, "writable": False, "house": house(waiting=1), "backup": None, "disk": Disk(free=0, total=1)},
        {"house": None, "alerts": None, "disk": None, "doctor": None},
        {"backup": BackupMade(at=NOW - timedelta(days=99), size=9), "alerts": alerts(recording=False)},
        {"doctor": msgspec.structs.replace(REPORT, at=NOW - timedelta(days=32))},
        {"backup": None, "missing": {"backup": "It cannot be read."}},
        {
            "doctor": DoctorReport(
                well=False, at=NOW, findings=[DoctorLine("a", "wrong", "b", "c"), DoctorLine("d", "skipped", "e", "")]
            )
        },
        {"alerts": alerts(chain=ChainStatus(row=0, hash=""))},
        {
            "alerts": alerts(
                mail=msgspec.structs.replace(MAIL, failing_since=NOW),
                chain=ChainStatus(row=3, hash="ab", broken=ChainBroken(row=4, reason="was changed")),
            )
        },
        {"house": house(people=(msgspec.structs.replace(ADA, strong=False),), enrolled=())},
        {"house": house(enrolled=(msgspec.structs.replace(HALL, ends_at=None),))},
        {"house": house(enrolled=(msgspec.structs.replace(HALL, ends_at=NOW),))},
        {"rooms": (RoomKept(id="hall", name="Hall", status="online", version="1"),)},
        {"rooms": (RoomKept(id="hall", name="Hall", status="unknown", version=None),)},
    ]
    for changed in variants:
        for one in checks(msgspec.structs.replace(WELL, **changed)):
            said = told(one)
            assert "{" not in said.title
            assert said.standard.startswith(("ETSI EN 303 645 ", "ASVS 5.0 "))
            if one.state == "wrong":
                assert said.advice or said.step
