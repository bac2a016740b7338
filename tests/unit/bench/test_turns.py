"""A run is over when the record has everything, and not when the processes are at rest."""

import ssl
from collections.abc import Iterator, Mapping

import pytest

from tests.bench import turns


class Resting:
    """A home whose processes do nothing, and whose spool says how many events wait, look by look."""

    name = "resting"
    port = 0
    idle: Mapping[str, float] = {}

    def __init__(self, waiting: Iterator[int]) -> None:
        self.trust = ssl.create_default_context()
        self._waiting = waiting
        self.looks = 0

    def cpu(self) -> dict[str, float]:
        return {"gateway": 1.0}

    def unreceipted(self) -> int:
        self.looks += 1
        return next(self._waiting)


def test_what_waits_in_a_spool_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_LOOK_SECONDS", 0.0001)
    home = Resting(iter([0, 0, 400, 200, 0, 0, 0, 0, 0]))
    assert turns.quiet(home) == {"gateway": 1.0}
    assert home.looks == 9


def test_a_record_that_takes_nothing_ends_the_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_LOOK_SECONDS", 0.0001)
    monkeypatch.setattr(turns, "_QUIET_SECONDS", 0.01)
    with pytest.raises(AssertionError, match="resting is still at work"):
        turns.quiet(Resting(iter(lambda: 1, 0)))
