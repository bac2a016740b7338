"""What the doctor finds: one thing looked at, whether it is well, and the next step where it is not."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from shared.running.config import ConfigError
from shared.words.problem import HomeError


class Finding(NamedTuple):
    """`fine` is None for what could not be looked at because something else has to be mended first.

    And for what was looked at and `is_noted`: no fault as far as a doctor can tell, and worth to be known.
    """

    area: str
    text: str
    fine: bool | None
    step: str = ""
    is_noted: bool = False

    @property
    def state(self) -> str:
        """As in `homesystem doctor --json`."""
        return {True: "well", False: "wrong", None: "skipped"}[self.fine]


def well(area: str, text: str) -> Finding:
    """All right."""
    return Finding(area, text, fine=True)


def wrong(area: str, text: str, step: str) -> Finding:
    """To be mended by `step`."""
    return Finding(area, text, fine=False, step=step)


def skipped(area: str, text: str) -> Finding:
    """Not looked at."""
    return Finding(area, text, fine=None)


def noted(area: str, text: str) -> Finding:
    """Looked at, and nobody but the household knows whether it is to be so."""
    return Finding(area, text, fine=None, is_noted=True)


def examine(area: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What `look` finds; an error in it is a finding of its own, and ends this look alone."""
    try:
        yield from look()
    except (ConfigError, HomeError, OSError) as error:
        for line in (error.detail if isinstance(error, HomeError) else str(error)).splitlines():
            text, _, step = line.rpartition("; ")
            yield wrong(area, text or line, step if text else "see the log")
