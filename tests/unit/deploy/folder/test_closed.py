"""`homesystem` while an upgrade is under way: what changes something waits, what looks does not."""

from pathlib import Path

import pytest

from deploy.folder import closed
from shared.words.problem import HomeError


@pytest.mark.parametrize("words", [["room", "revoke", "hall"], ["lockdown", "begin"], ["user", "disable", "x@y.z"]])
def test_what_might_go_back_again_is_not_done(tmp_path: Path, words: list[str]) -> None:
    var = tmp_path / "home"
    closed.check(var, words)
    closed.mark(var).touch()
    with pytest.raises(HomeError, match="sudo homesystem upgrade") as refused:
        closed.check(var, words)
    assert refused.value.slug == "upgrading"


@pytest.mark.parametrize("words", [["doctor"], ["repair", "--quick"], ["room", "revoke", "--help"], []])
def test_what_looks_and_what_the_update_itself_does_goes_on(tmp_path: Path, words: list[str]) -> None:
    var = tmp_path / "home"
    closed.mark(var).touch()
    closed.check(var, words)
