"""The home's last press and last movement: of what one may see, and no hindrance where nobody says so."""

from datetime import timedelta

from shared.words.internal import Grant, RegisteredRoom, Registry
from shared.words.messages import Description
from shared.words.names import Kind, Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import open_house
from tests.unit.gateway.pages.test_story import happening

DEVICES = tuple(
    parts.described(name, kind)
    for name, kind in (("doorbell", Kind.BUTTON), ("motion", Kind.MOTION), ("stairs", Kind.MOTION))
)
HALL = Description(room="hall", name="Hall", agent_version="1", devices=DEVICES)
ENTRY = RegisteredRoom(id="hall", name="Hallway", devices=tuple(map(parts.registered, DEVICES)))
REGISTRY = Registry(rooms=(ENTRY,))
HAPPENED = (
    happening(1, "device:pressed", "hall/doorbell"),
    happening(2, "device:motion", "hall/motion", times=3, until=parts.NOW + timedelta(minutes=6)),
    happening(3, "device:motion", "hall/stairs"),
    happening(4, "device:opened", "hall/doorbell"),
)


async def test_the_headline_says_when_the_bell_rang_and_where_something_moved() -> None:
    async with open_house(REGISTRY, HALL) as house:
        await house.sign_in(Role.MEMBER)
        assert not (await house.get("/")).has("p", id="lately")
        house.alerts.happenings = HAPPENED
        page = await house.get("/")
        assert page.has("p", id="lately")
        assert page.has("p", **{"data-pressed": "Doorbell", "data-pressed-at": HAPPENED[0].until.isoformat()})
        assert page.has("p", **{"data-moved": "Hallway"})
        assert "Doorbell 15 January 2027 09:00 · last movement: Hallway 15 January 2027 09:06" in page.text


async def test_only_of_what_one_may_see() -> None:
    async with open_house(REGISTRY, HALL) as house:
        house.alerts.happenings = HAPPENED
        await house.sign_in(Role.GUEST, Grant(room="hall", device="doorbell"))
        text = (await house.get("/")).text
        assert "Doorbell 15 January 2027 09:00" in text
        assert "last movement" not in text


async def test_a_home_without_the_alert_service_is_shown_all_the_same() -> None:
    async with open_house(REGISTRY, HALL) as house:
        house.alerts.happenings, house.alerts.away = HAPPENED, True
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        assert (page.status, page.has("p", id="lately")) == (200, False)
