"""Letters call rooms and devices as the pages do, and take no room's text for more than a name."""

from alert_service.telling.cleaning import NAME_CHARACTERS
from alert_service.telling.names import _DEVICES_MOST, Names
from shared.words.messages import Description, DeviceDescription
from shared.words.names import Kind


def described(name: str, **devices: str) -> Description:
    return Description(
        room="hall",
        name=name,
        agent_version="1",
        devices=tuple(
            DeviceDescription(
                id=one.replace("_", "-"),
                name=called,
                kind=Kind.LOCK,
                critical=True,
                confirm=True,
                actions=(),
                safe_actions=(),
            )
            for one, called in devices.items()
        ),
    )


def test_a_place_has_its_name_and_its_rooms() -> None:
    names = Names()
    assert names.learn("hall", described("Flur", front_door="Haustür"))
    assert names.place("hall/front-door") == "Haustür (Flur)"
    assert names.place("hall/other-door") == "Other door (Flur)"
    assert names.place("hall") == "Flur"
    assert not names.learn("hall", described("Flur", front_door="Haustür")), "nothing new"


def test_a_name_that_says_its_room_is_not_told_twice() -> None:
    names = Names()
    names.learn("garage", described("Garage", door="Garage door"))
    assert names.place("garage/door") == "Garage door"


def test_what_a_room_no_longer_names_stays_known_within_bounds() -> None:
    names = Names()
    names.learn("hall", described("Hall", lamp="Lamp"))
    names.learn("hall", described("Hall", front_door="Front door"))
    assert names.place("hall/lamp") == "Lamp (Hall)"
    for number in range(600):
        names.learn("hall", described("Hall", **{f"d{number}": "x"}))
    assert len(names.known()[1]["hall"]) == _DEVICES_MOST
    assert names.device("hall", "d599") == "x"


def test_the_homes_names_stand_and_what_copies_one_is_told_apart() -> None:
    names = Names()
    names.learn("hall", described("Hall", front_door="Door 1", lamp="Front\u200bdoor"))
    assert names.call({"hall": "Entrance", "hall/front-door": "Front door"})
    assert not names.call({"hall": "Entrance", "hall/front-door": "Front door"}), "nothing new"
    assert names.place("hall") == "Entrance"
    assert names.place("hall/front-door") == "Front door (Entrance)"
    names.learn("hall", described("Hall", front_door="Door 1", lamp="front door"))
    assert names.place("hall/lamp") == "front door (lamp) (Entrance)"
    names.learn("attic", described("entrance"))
    assert names.room("attic") == "entrance (attic)"
    later = Names()
    later.recall(*names.known())
    assert later.place("hall/front-door") == "Front door (Entrance)"
    names.call({})
    assert names.place("hall/front-door") == "Door 1 (Hall)"


def test_names_are_cleaned_and_cut() -> None:
    names = Names()
    names.learn("hall", described("Ha\nll\u202e", lamp="\x1b[2J" + "ä" * 60))
    assert names.room("hall") == "Ha ll"
    assert names.device("hall", "lamp").isprintable()
    assert len(names.device("hall", "lamp")) <= NAME_CHARACTERS


def test_names_are_found_again_after_a_restart() -> None:
    before, after = Names(), Names()
    before.learn("hall", described("Hall", lamp="Lamp"))
    after.recall(*before.known())
    assert after.place("hall/lamp") == "Lamp (Hall)"
