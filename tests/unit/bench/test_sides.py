"""The other commit: found or told, and gone afterwards."""

import sqlite3
import subprocess
from pathlib import Path

import pytest

from shared.proof.spool import Spool
from shared.words.messages import AuditEvent, Receipt, ReceiptLine, Who, utc
from shared.words.names import Outcome, Severity
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


def test_what_the_record_has_not_taken_yet_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite3"
    spool = Spool(path)
    spool.append(event("1"), event("2"), durable=False)
    assert sides.waiting(path) == 2
    spool.receipted(Receipt(events=(ReceiptLine(id="1", row=1, hash="00"),)))
    assert sides.waiting(path) == 1
    spool.close()


def test_a_spool_that_is_not_there_has_not_been_looked_at(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        sides.waiting(tmp_path / "spool.sqlite3")


def event(name: str) -> AuditEvent:
    return AuditEvent(
        id=name,
        at=utc(1.5),
        what="device:on",
        where="hall/lamp",
        who=Who(issuer="gateway"),
        outcome=Outcome.EXECUTED,
        severity=Severity.INFO,
    )


def listed(tree: Path) -> bool:
    """Whether git still knows of it."""
    known = subprocess.run(["git", "-C", str(ROOT), "worktree", "list"], capture_output=True, text=True, check=True)
    return str(tree) in known.stdout
