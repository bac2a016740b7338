"""Names are made harmless, wishes and grants are told in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages import acts, browsers, faults
from gateway.pages.login import local_path
from gateway.picture.home import Home
from gateway.picture.plain import plain
from shared.words.messages import By, CoverValue, State, utc
from shared.words.problem import HomeError
from tests.unit.gateway import parts


@given(st.text(), st.integers(1, 80))
def test_plain_text_is_one_short_line_without_tricks(text: str, most: int) -> None:
    cleaned = plain(text, most)
    assert len(cleaned) <= most
    assert cleaned.isprintable()
    assert not {"\u202e", "\u2066", "\u200f"} & set(cleaned)
    assert plain(cleaned, most) == cleaned


def test_a_name_that_turns_the_reading_direction_is_straightened() -> None:
    assert plain("Lamp\u202eexe\nx") == "Lampexe x"


def rooms() -> Home:
    home = Home()
    home.set_registry(parts.REGISTRY)
    return home


def test_a_question_names_exactly_what_will_happen() -> None:
    door = rooms().view("hall", "front-door")
    assert door is not None
    asked = acts.question(door, "Hall", "unlock")
    assert asked.title == "Unlock Front door?"
    assert asked.button == "Unlock Front door"
    assert "Hall" in asked.text
    assert acts.RECORDED in asked.text


def test_a_cover_that_was_told_to_open_has_only_begun_to() -> None:
    assert acts.executed("Blind in Hall", "cover", "open").title == "Blind in Hall: moves now"
    assert acts.executed("Lamp in Hall", "dimmer", "set", 40).title == "Lamp in Hall: set to 40 %"


@pytest.mark.parametrize(
    ("stands", "title"),
    [
        (CoverValue(position=0, moving="opening"), "moves now"),
        (CoverValue(position=100, moving="opening"), "moves now"),
        (CoverValue(position=30, moving=None), "moves now"),  # both relays rest before it turns
        (CoverValue(position=None, moving="closing"), "moves now"),
        (CoverValue(position=100, moving=None), "set to 100 %"),
    ],
)
def test_a_cover_is_set_to_where_it_stands_and_no_sooner(stands: CoverValue, title: str) -> None:
    state = State(value=stands, since=utc(1.0), by=By(source="command"))
    assert acts.executed("Blind", "cover", "set", 100, state).title == f"Blind: {title}"


def test_what_nobody_knows_is_neither_good_nor_bad() -> None:
    assert faults.refused("Lamp", HomeError("unknown")).tone == "unsure"
    assert faults.refused("Lamp", HomeError("interrupted")).tone == "unsure"
    assert faults.refused("Lamp", HomeError("room-offline")).tone == "bad"
    assert "2 minutes" in faults.refused("Lamp", HomeError("rate-limited", retry_after=100)).text


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", "Firefox on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "Safari on an iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0 Safari/537.36", "Chrome on Linux"),
        ("python-requests/2", "python-requests"),
        ("", "A program that does not say what it is"),
    ],
)
def test_a_browser_is_told_in_short(agent: str, told: str) -> None:
    assert browsers.named(agent) == told


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/history", "/history"),
        ("/rooms/hall?x=1", "/rooms/hall?x=1"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("/x\\y", "/"),
        ("/\r\nSet-Cookie: a", "/"),
        ("/login?next=/login", "/"),
    ],
)
def test_after_signing_in_nobody_is_led_elsewhere(wanted: str, led: str) -> None:
    assert local_path(wanted) == led
