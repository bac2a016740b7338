"""The last letter: who is told, in whose language, and what of the record is left in it."""

from deploy.giving_away import letters
from deploy.giving_away.household import Household
from shared.words.internal import User
from shared.words.names import Role

OWNER = User(id="u1", name="Robin", email="robin@example.org", role=Role.MASTER)
HOUSE = Household(name="hub.home.arpa", language="de", masters=(OWNER,), row=17, head="ab" * 32)


def test_it_says_which_home_and_where_its_record_stood() -> None:
    made = letters.letter(
        HOUSE, User(id="u1", name="Robin", email="robin@example.org", role=Role.MASTER, language="en")
    )
    assert made.to == "robin@example.org"
    assert made.subject == "The home on hub.home.arpa is being erased"
    assert "row 17, hash:" in made.text
    assert f"\n{HOUSE.head}\n" in made.text


def test_whoever_chose_no_language_is_written_to_in_the_homes() -> None:
    assert letters.letter(HOUSE, OWNER).subject == "Das Zuhause auf hub.home.arpa wird gelöscht"


def test_of_a_home_without_a_record_it_says_nothing_of_one() -> None:
    made = letters.letter(Household(name="hub", language="en", masters=(OWNER,)), OWNER)
    assert "record ended" not in made.text
