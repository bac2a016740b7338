"""How the record names what a client is to be let do: all of it, or so much as there is room for, critical first."""

from auth_service.joining import granted


def test_a_few_are_all_named_and_what_is_critical_first() -> None:
    assert (
        granted.in_words(("hall/lamp", "hall/door"), {"hall/lamp": False, "hall/door": True}) == "hall/door, hall/lamp"
    )


def test_of_many_it_says_how_many_more_and_hides_nothing_critical() -> None:
    lamps = [f"hall/lamp-{number}" for number in range(150)]
    words = granted.in_words([*lamps, "hall/door"], dict.fromkeys(lamps, False) | {"hall/door": True})
    assert len(words) <= 200
    named, _, more = words.rpartition(", … +")
    assert named.startswith("hall/door, hall/lamp-0, ")
    assert int(more) == 151 - len(named.split(", "))


def test_the_longest_names_fit() -> None:
    place = f"{'r' * 32}/{'d' * 32}"
    assert granted.in_words([place] * 200, {}) == f"{place}, {place}, … +198"
