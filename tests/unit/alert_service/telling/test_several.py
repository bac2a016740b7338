"""The subject of a letter about several acts says what was done, each kind of it once."""

import pytest

from alert_service.telling import several
from alert_service.telling.reader import Reader
from alert_service.telling.story import Story
from shared.words.languages import Language, tongue
from shared.words.names import Outcome
from tests.e2e.actions import TOGETHER
from tests.unit.alert_service.letters.test_letters import BERLIN, row
from tests.unit.alert_service.parts import event


def act(action: str, ended: Outcome = Outcome.EXECUTED) -> Story:
    return Story(ended=ended, outcome=row("hall", event(what=f"device:{action}", outcome=ended)))


UNLOCK, LOCK = act("unlock"), act("lock")
MANY = [UNLOCK, LOCK, act("press"), act("open"), UNLOCK]


@pytest.mark.parametrize(
    ("language", "stories", "told"),
    [
        ("en", [UNLOCK, UNLOCK], "Front door (hall) unlocked 2 more times"),
        ("de", [UNLOCK, UNLOCK], "Front door (hall) noch 2-mal aufgeschlossen"),
        ("en", [UNLOCK, LOCK, UNLOCK], "Front door (hall) unlocked and locked: 3 more times"),
        ("de", [UNLOCK, LOCK, UNLOCK], "Front door (hall) aufgeschlossen und abgeschlossen: noch 3-mal"),
        ("en", [UNLOCK, LOCK, act("press")], "Front door (hall) unlocked, locked and pressed: 3 more times"),
        ("en", MANY, "Front door (hall) unlocked, locked, pressed …: 5 more times"),
        (
            "en",
            [UNLOCK, act("lock", Outcome.FAILED)],
            "Front door (hall): unlocked and lock failed (2 more times)",
        ),
        ("en", [act("spin"), act("spin")], "Front door (hall) spin 2 more times"),
    ],
)
def test_what_was_done_again_is_said(language: Language, stories: list[Story], told: str) -> None:
    assert several.title(stories, Reader(zone=BERLIN, tongue=tongue(language))) == told
    assert TOGETHER.search(told), "the browser's tests know such a letter by this"


def test_what_a_room_calls_its_act_breaks_no_subject() -> None:
    odd = act("{who}\u202e\r\nBcc: eve@example.org")
    assert several.title([odd, odd], Reader(zone=BERLIN)) == "Front door (hall) {who} Bcc: eve@example.org 2 more times"
