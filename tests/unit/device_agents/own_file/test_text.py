"""Other device tables in a room's file: everything else stays to the letter, and nothing comes out that says more."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.joining import room_file
from device_agents.joining.board import Board
from device_agents.own_file.text import UnwritableError, tables, with_tables

FILE = """# The hall's.
room = "hall"   # ours
free_pins = [
    3,
]

[[devices]]
id = "lamp"
name = "Lamp"
kind = "switch"
pin = 17  # behind the door

# [[devices]]
# id = "blind"

[[devices]]
id = "wall-button"
name = "Button"
kind = "button"
pin = 23
[devices.binds.press]
device = "lamp"
action = "toggle"

# The hub, as this Pi finds it.
[broker]
identity = "hall"
"""
LAMP = {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17}
BUTTON = {
    "id": "wall-button",
    "name": "Button",
    "kind": "button",
    "pin": 23,
    "binds": {"press": {"device": "lamp", "action": "toggle"}},
}


def test_what_is_not_changed_stays_to_the_letter() -> None:
    assert with_tables(FILE, [LAMP, BUTTON]) == FILE
    assert with_tables(FILE, [BUTTON, LAMP]) == FILE


def test_a_changed_device_is_written_at_its_place_and_a_new_one_at_the_end() -> None:
    kettle = {"id": "kettle", "name": 'The "good" \\ one\t\x7fü', "kind": "switch", "pin": 24, "max_on": 600.0}
    told = with_tables(FILE, [LAMP | {"pin": 27}, BUTTON, kettle])
    assert tables(told) == (LAMP | {"pin": 27}, BUTTON, kettle)
    assert "behind the door" not in told  # it was said of another pin
    assert told.index('"lamp"') < told.index("# [[devices]]") < told.index('"wall-button"') < told.index("[broker]")
    assert told.index("[broker]") < told.index('"kettle"')
    assert "# The hall's.\n" in told
    assert "# ours" in told
    assert "# The hub, as this Pi finds it." in told


def test_a_device_that_goes_leaves_everything_else() -> None:
    told = with_tables(FILE, [LAMP])
    assert tables(told) == (LAMP,)
    assert tomllib.loads(told)["broker"] == {"identity": "hall"}
    assert "devices.binds" not in told


def test_the_file_of_a_room_that_just_joined_takes_its_first_device() -> None:
    fresh = room_file.text("kitchen", "hub.local", 8883, Board("/dev/gpiochip0", ("This board: a Pi.",)))
    told = with_tables(fresh, [LAMP])
    assert told.startswith(fresh.rstrip())
    assert tables(told) == (LAMP,)


@pytest.mark.parametrize(
    "odd",
    [
        'room = "hall"\ndevices = [{ id = "lamp" }]\n',
        'room = "hall"\n[[devices]]\nid = "lamp"\nname = """\n[[devices]]\n"""\n',
        'room = "hall"\n["devices"]\nid = "lamp"\n',
    ],
)
def test_a_file_in_another_form_is_left_to_a_hand(odd: str) -> None:
    with pytest.raises(UnwritableError):
        with_tables(odd, [LAMP])


def test_what_toml_cannot_say_is_refused() -> None:
    with pytest.raises(UnwritableError):
        with_tables(FILE, [LAMP | {"max_on": None}])


_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES: Any = st.recursive(
    st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | _NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(_NAMES.filter(lambda name: name != "id"), _VALUES, max_size=4), max_size=4))
def test_whatever_is_set_is_what_the_file_then_says_or_it_is_refused(made: list[dict[str, Any]]) -> None:
    wanted = [{"id": f"d{number}"} | one for number, one in enumerate(made)]
    told = with_tables(FILE, wanted)
    assert tables(told) == tuple(wanted)
    rest = tomllib.loads(told)
    rest.pop("devices", None)
    before = tomllib.loads(FILE)
    before.pop("devices")
    assert rest == before
