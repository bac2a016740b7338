"""A problem is said in the page's language, its gaps as well, though it arose in English and elsewhere."""

import ast
from collections.abc import Iterator

import pytest

from gateway.pages import faults, speaking
from shared.words.languages import tongue
from shared.words.problem import HomeError
from tests.catalogue import ROOT


@pytest.fixture(autouse=True)
def _in_german() -> Iterator[None]:
    speaking.speak(tongue("de"))
    yield
    speaking.speak(tongue())


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("There is no such user.", "Diese Person gibt es nicht."),
        ("You have 12 tokens. Revoke one first.", "Sie haben 12 Token. Widerrufen Sie zuerst einen."),
        ("{most} are the most. Remove one first.", "{most} sind das Äußerste. Entfernen Sie zuerst eines."),
        ("hall/lamp offers on, off.", "Berichtigen Sie den genannten Wert und versuchen Sie es noch einmal."),
        (None, "Berichtigen Sie den genannten Wert und versuchen Sie es noch einmal."),
    ],
)
def test_a_detail_is_found_again_by_its_words_or_its_advice_is_given(detail: str | None, said: str) -> None:
    assert faults.detail(HomeError("invalid-value", detail)) == said


def test_in_english_a_detail_stays_as_it_is() -> None:
    speaking.speak(tongue())
    assert faults.detail(HomeError("invalid-value", "hall/lamp offers on, off.")) == "hall/lamp offers on, off."


def test_each_detail_with_gaps_arises_somewhere() -> None:
    arising = {
        "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in joined.values)
        for package in ("gateway", "auth_service")
        for path in (ROOT / package).rglob("*.py")
        for joined in ast.walk(ast.parse(path.read_text()))
        if isinstance(joined, ast.JoinedStr)
    }
    wanted = {told.format_map(_Empty()) for told in faults.TOLD}
    assert wanted - arising == set()


class _Empty(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "{}"
