"""`homesystem backup` with a first word: a command, a file, or a mistake that makes no file of that name."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.safekeeping import saving


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The home was asked for: a command of ours began."""
    began: list[str] = []

    def home() -> Path:
        began.append("yes")
        raise SystemExit(7)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(saving, "home", home)
    return began


@pytest.mark.parametrize("words", [["verfy"], ["targets", "/mnt/backup"], ["--plain", "help"], ["now"]])
def test_a_mistyped_word_is_no_file_and_is_told_what_there_is(words: list[str], begun: list[str]) -> None:
    done = CliRunner().invoke(saving.app, words)
    assert done.exit_code == 2
    word = next(one for one in words if not one.startswith("-"))
    said = " ".join(done.output.replace("│", " ").split())
    assert f"There is no '{word}' here but key, make," in said
    assert f"homesystem backup ./{word}" in said
    assert not begun


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["home.tar.gz"],
        ["./verfy"],
        ["/mnt/backups/home"],
        ["--plain", "home.tar.gz"],
        ["--plain"],
        ["make", "home"],
    ],
)
def test_a_file_is_written_where_one_can_be_meant(words: list[str], begun: list[str]) -> None:
    assert CliRunner().invoke(saving.app, words).exit_code == 7
    assert begun == ["yes"]
