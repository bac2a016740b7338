"""The hub's command on a disk that takes nothing: one sentence with the next step, whatever met it."""

import errno

import pytest

from deploy import __main__ as command


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device", "/home/x"), OSError(errno.EIO, "I/O")]
)
def test_it_is_told_in_a_sentence(
    error: OSError, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(**_: object) -> None:
        raise error

    monkeypatch.setattr(command, "app", failing)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "its disk" in said


def test_what_is_a_fault_of_ours_keeps_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(**_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file", "x")

    monkeypatch.setattr(command, "app", failing)
    with pytest.raises(FileNotFoundError):
        command.main()
