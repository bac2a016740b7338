"""Names that read alike are told apart, and the master user's stands."""

import pytest

from shared.words.naming import Called, key, names


@pytest.mark.parametrize(
    "other",
    [
        "front door",
        "Front  door",
        "Front\u200bdoor\u2060".replace("\u200b", " "),
        "\u202eFront door",
        "Ｆｒｏｎｔ door",
        "Frоnt dооr",
        "Frοnt dοοr",
    ],
)
def test_names_that_read_alike_have_one_key(other: str) -> None:
    assert key(other) == key("Front door")


def test_another_name_has_another_key() -> None:
    assert len({key(name) for name in ("Front door", "Back door", "Front doors", "Haustür", "Haustur")}) == 5


def test_names_in_other_scripts_are_names_of_their_own() -> None:
    others = ("Ada", "Ада", "Αδα", "Вова", "Boba", "Кухня", "Kyxh", "Νίκος", "Nikos", "Zoë", "Zoe", "Işık", "Isik")
    assert len({key(name) for name in others}) == len(others)
    assert key("Аda") == key("ada"), "mixed so that it reads as another's"
    assert key("Сора") == key("Copa"), "and all of it in letters that look alike"


def test_what_copies_another_name_is_shown_with_its_id() -> None:
    found = names([Called("front-door", "Door 1", "Front door"), Called("lamp", "Front\u200d door", None)])
    assert found == {"front-door": "Front door", "lamp": "Front\u200d door (lamp)"}


def test_two_of_one_own_name_are_both_told_apart_and_others_are_left_alone() -> None:
    found = names([Called("a", "Lamp", None), Called("b", "lamp", None), Called("c", "Fan", None)])
    assert found == {"a": "Lamp (a)", "b": "lamp (b)", "c": "Fan"}
