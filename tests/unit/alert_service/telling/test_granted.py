"""What a guest may do from now on stands in the letter, in the reader's language."""

import pytest

from alert_service.telling import details
from alert_service.telling.granted import MOST
from shared.words.languages import Language
from tests.unit.alert_service.letters.test_letters import row
from tests.unit.alert_service.parts import event
from tests.unit.alert_service.telling.test_details import reader


def told(language: Language, *lines: str, source: str = "auth", **more: str) -> list[tuple[str, str]]:
    stands = {f"grant-{number}": line for number, line in enumerate(lines, 1)}
    detail = {"user": "Grace", "grants": str(len(lines)), **stands, **more}
    return details.told(
        row(source, event(what="account:grants-changed", where="user/u", detail=detail)), reader(language)
    )


@pytest.mark.parametrize(
    ("line", "english", "german"),
    [
        ("hall/lamp", "Lamp (hall): always", "Lamp (hall): immer"),
        (
            "hall/lamp mon-fri 22:00-06:00 until 2026-12-24T23:00:00Z",
            "Lamp (hall): Mon–Fri, 22:00–06:00, until 24 Dec 2026",
            "Lamp (hall): Mo–Fr, 22:00–06:00, bis 24.12.2026",
        ),
        (
            "hall/door sat,sun from 2026-12-01T17:00:00Z only lock unlock",
            "Door (hall): only lock/unlock, Sat, Sun, from 1 Dec 2026, 18:00",
            "Door (hall): nur Abschließen/Aufschließen, Sa, So, ab 01.12.2026, 18:00",
        ),
        ("hall/bell only look", "Bell (hall): looking only, always", "Bell (hall): nur ansehen, immer"),
        ("what is {this}", "what is {this}", "what is {this}"),
    ],
)
def test_each_grant_is_a_line(line: str, english: str, german: str) -> None:
    assert told("en", line) == [("From now on", english)]
    assert told("de", line) == [("Von nun an", german)]


def test_nothing_is_told_as_nothing_and_many_are_counted() -> None:
    assert told("en") == [("From now on", "nothing")]
    assert told("de") == [("Von nun an", "nichts")]
    assert told("en", *["hall/lamp"] * (MOST + 3))[-1] == ("From now on", "and 3 more")


def test_a_room_that_claims_it_is_quoted_as_any_room_is() -> None:
    assert told("en", "hall/lamp", source="hall")[0] == ("Detail", "grants: 1")
