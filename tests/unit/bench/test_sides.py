"""The other commit: found or told, and gone afterwards."""

import subprocess
from pathlib import Path

import pytest

from tests.bench import sides
from tests.demo import ROOT


@pytest.mark.parametrize("revision", ["nonsense", "", "--all", "HEAD:README.md"])
def test_what_is_no_commit_is_told_with_what_to_do(revision: str) -> None:
    with pytest.raises(sides.UnknownRevisionError, match=r"is no commit of the repository .*: name one that"):
        sides.resolve(revision)


def test_a_tree_of_the_commit_is_there_meanwhile_and_nothing_of_it_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "_set_up", lambda tree: None)
    with sides.worktree(sides.resolve("HEAD")) as tree:
        assert (tree / "tests/unit/bench").is_dir()
        assert listed(tree)
    assert not tree.parent.exists()
    assert not listed(tree)


def test_nothing_stays_where_its_setup_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def set_up(tree: Path) -> None:
        made.append(tree)
        raise AssertionError("no network")

    monkeypatch.setattr(sides, "_set_up", set_up)
    with pytest.raises(AssertionError, match="no network"), sides.worktree(sides.resolve("HEAD")):
        raise ValueError("never entered")
    assert not made[0].parent.exists()
    assert not listed(made[0])


def listed(tree: Path) -> bool:
    """Whether git still knows of it."""
    known = subprocess.run(["git", "-C", str(ROOT), "worktree", "list"], capture_output=True, text=True, check=True)
    return str(tree) in known.stdout
