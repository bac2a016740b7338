"""The house's own page: the master user's, honest about what nobody could look at, and plain text throughout."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from deploy.folder.home import lay_out
from deploy.pki import reading
from gateway.api.routes import add_api
from gateway.pages import times
from shared.keeping import notes
from shared.words.internal_alerts import ChainStatus, MailStatus
from shared.words.internal_house import Enrolled, HouseKept, Person
from shared.words.names import Role
from shared.words.noted import BackupMade, DoctorLine, DoctorReport
from tests import house as homes
from tests.unit.gateway import parts
from tests.unit.gateway.pages import house as houses
from tests.unit.gateway.pages.house import House, open_house

EVIL = "<script>alert(1)</script>\u202e"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A house whose databases lie in a folder that is there, and in which everything answers."""
    made = msgspec.structs.replace(houses.config(), spool=tmp_path / "spool")
    monkeypatch.setattr(houses, "config", lambda: made)
    async with open_house(furnish=add_api) as house:
        house.alerts.status = MailStatus(
            letters_waiting=3,
            letters_refused=0,
            recipients_known=True,
            failing_since=None,
            failure=None,
            accepted_at=now() - timedelta(days=2),
        )
        house.alerts.whole = ChainStatus(row=1, hash="ab", checked_at=now())
        house.auth.kept = HouseKept(
            enrolled=(
                Enrolled(name="hall", role="room", enrolled_at=now(), ends_at=now() + timedelta(days=61)),
                Enrolled(name="phone", role="client", enrolled_at=now(), ends_at=now() + timedelta(days=9)),
            ),
            people=(Person(name="Ada", role=Role.MASTER, strong=False, signed_in_at=None),),
            unsigned=None,
        )
        yield house


async def test_it_tells_how_the_house_is_kept(house: House, tmp_path: Path) -> None:
    notes.write(tmp_path, BackupMade(at=now(), size=1))
    notes.write(tmp_path, DoctorReport(well=True, at=now(), findings=[DoctorLine("disk", "well", "room", "")]))
    await house.sign_in(Role.MASTER)
    text = (await house.get("/house")).text
    for said in (
        "Without a strong second factor, who looks after the home: Ada",
        "ASVS 5.0 6.3.3",
        "Certificates that end soon, or have ended: phone",
        "certificate: 60 days",
        "certificate: 8 days",
        "Of another version than the hub: Hall",
        "All that the hub's own doctor looked at is well (1).",
        "There is a backup of the last month.",
    ):
        assert said in text, said


async def test_what_does_not_answer_is_not_well(house: House) -> None:
    await house.sign_in(Role.MASTER)
    await house.get("/house")
    house.alerts.away = True
    text = (await house.get("/house")).text
    for said in (
        "How the letters fare could not be looked at.",
        "Whether the record is whole is not known yet.",
        "No backup is known.",
        "The hub's own doctor has not looked yet, or what it found cannot be read.",
        "The alert service does not answer.",
    ):
        assert said in text, said
    assert "The mail server takes the home's letters." not in text
    assert "Everything that was looked at is well." not in text


@pytest.mark.parametrize("role", [Role.MEMBER, Role.GUEST])
async def test_it_is_the_master_users_alone(house: House, role: Role) -> None:
    await house.sign_in(role)
    assert (await house.get("/house")).status == 403
    assert not (await house.get("/account")).has("a", href="/house")


async def test_the_account_page_leads_there(house: House) -> None:
    await house.sign_in(Role.MASTER)
    assert (await house.get("/account")).has("a", href="/house")


async def test_what_others_say_is_shown_as_text(house: House, tmp_path: Path) -> None:
    notes.write(tmp_path, DoctorReport(well=False, at=now(), findings=[DoctorLine(EVIL, "wrong", EVIL, EVIL)]))
    house.auth.kept = HouseKept(
        enrolled=(),
        people=(Person(name=EVIL, role=Role.MASTER, strong=False, signed_in_at=None),),
        unsigned=EVIL,
    )
    said = msgspec.structs.replace(parts.HALL, agent_version=EVIL)
    house.home.hear_description("hall", said)
    await house.sign_in(Role.MASTER)
    page = await house.get("/house")
    assert page.status == 200
    assert "<script>alert" not in page.body
    assert "\u202e" not in page.body


async def test_programs_read_the_same(house: House) -> None:
    await house.sign_in(Role.MASTER)
    async with house.browser.get("/api/v1/house", headers=houses.HEADERS | {"Accept": "application/json"}) as response:
        assert response.status == 200
        told = await response.json()
    assert told["mail"]["letters_waiting"] == 3
    assert {one["about"]: one["state"] for one in told["checks"]}["no-backup"] == "wrong"
    assert told["backup"] is None
    assert [one["name"] for one in told["enrolled"]] == ["hall", "phone"]
    assert all(one["standard"] for one in told["checks"])


async def test_it_tells_until_when_the_authorities_are_good_and_which_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = homes.make_home(tmp_path / "home")
    lay_out(made)
    config, pki = houses.config(), made.pki
    tls = msgspec.structs.replace(config.broker.tls, ca=pki / "device-ca.crt")
    config = msgspec.structs.replace(
        config,
        spool=tmp_path / "spool",
        https=msgspec.structs.replace(config.https, certificate=pki / "web.crt"),
        broker=msgspec.structs.replace(config.broker, tls=tls),
    )
    monkeypatch.setattr(houses, "config", lambda: config)
    async with open_house(furnish=add_api) as house:
        await house.sign_in(Role.MASTER)
        until = f"good until {times.day_of(reading.ends_at(pki / 'web-ca.crt'), datetime.now(houses.ZONE))}"
        assert f"For rooms and services {until} For browsers {until}" in (await house.get("/house")).text
        (pki / "device-ca.crt").write_bytes((pki / "device-ca.crt").read_bytes() + (pki / "web-ca.crt").read_bytes())
        changes_at = house.authority.offer_next().changes_at
        text = (await house.get("/house")).text
        assert "rooms go over by themselves. Who has yet to: homesystem authority list" in text
        assert f"another one from {times.day_of(changes_at, datetime.now(houses.ZONE))} on" in text
        async with house.browser.get("/api/v1/house", headers=houses.HEADERS) as response:
            told = (await response.json())["authorities"]
        assert told["device"]["followed"] is True
        assert datetime.fromisoformat(told["web"]["changes_at"]) == changes_at
        house.authority.found = house.authority.follows = None
        assert "none of the home's own" in (await house.get("/house")).text
        (pki / "device-ca.crt").unlink()
        assert "They could not be looked at." in (await house.get("/house")).text
