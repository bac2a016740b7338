"""An attempt's short name: the same for one place, another for every other, and read as people type it."""

from hypothesis import given
from hypothesis import strategies as st

from shared.words.attempts import LENGTH, SIGNS, name_of, read


@given(st.text())
def test_a_name_is_short_and_cannot_be_mistaken(place: str) -> None:
    name = name_of(place)
    assert len(name) == LENGTH
    assert set(name) <= set(SIGNS)
    assert name == name_of(place) == read(f" {name[:2].lower()}-{name[2:].lower()} ")


def test_places_have_names_of_their_own() -> None:
    assert len({name_of(str(number)) for number in range(1000)}) > 990
