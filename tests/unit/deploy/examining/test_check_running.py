"""What the doctor believes of a gateway's answers, given by hand."""

from pathlib import Path

import pytest

from deploy.examining import check_running
from deploy.folder import home as homes
from deploy.running import ready
from tests import house


@pytest.mark.parametrize(
    ("answers", "said", "looks"),
    [
        ([200], 200, 1),
        ([503, 503, 200], 200, 3),
        ([503] * 9, 503, 5),
        ([None, 200], 200, 2),
        ([None] * 9, None, 5),
        ([404, 200], 404, 1),
    ],
    ids=["ready", "a hiccup", "never ready", "busy", "not there", "something else"],
)
def test_a_gateway_that_answers_is_looked_at_more_than_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answers: list[int | None], said: int | None, looks: int
) -> None:
    asked: list[str] = []

    def answer(_home: homes.Home, path: str) -> int | None:
        asked.append(path)
        return answers[len(asked) - 1]

    monkeypatch.setattr(ready, "ask_web", answer)
    monkeypatch.setattr(check_running, "_LOOK_AGAIN_SECONDS", 0)
    assert check_running.gateway_says(house.make_home(tmp_path)) == said
    assert asked == ["/readyz"] * looks
