"""What `make house` prints: each phase with what a person types, what is answered, what was seen, and the minutes."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tests.booted.terminal import Said


class Phase:
    """One phase of one house and how it went."""

    def __init__(self, house: str, name: str) -> None:
        self.house = house
        self.name = name
        self.outcome = "skipped"
        self.reason = ""
        self.minutes = 0.0
        self.seen = 0

    @property
    def line(self) -> str:
        """As the end of the report lists it."""
        if self.outcome == "skipped":
            return f"skipped  {self.house:<10} {self.name:<14} {self.reason}"
        return f"{self.outcome:<7}  {self.house:<10} {self.name:<14} {self.minutes:4.1f} min  {self.reason}".rstrip()


class Report:
    """Prints as things happen, and counts up in the end."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self.phases: list[Phase] = []
        self._out = out
        self._now: Phase | None = None
        self._count = {"commands": 0, "answers": 0}

    def typed(self, machine: str, command: str, said: Said, seconds: float) -> None:
        """A person typed a command and answered what it asked."""
        first, *more = command.splitlines()
        self._print(f"    {machine}$ {first}" + (f"    ({seconds:.0f} s)" if seconds >= 1 else ""))
        for line in more:
            self._print(f"    {' ' * len(machine)}  {line}")
        for answer in said.typed:
            self._print(f"        answered: {answer}")
        self._count["commands"] += 1
        self._count["answers"] += len(said.typed)

    def saw(self, what: str) -> None:
        """Something was looked at and is as it has to be. A phase without such a line is no proof of anything."""
        self._print(f"      ✓ {what}")
        if self._now is not None:
            self._now.seen += 1

    def note(self, what: str) -> None:
        """Something that a reader wants to know."""
        self._print(f"      · {what}")

    def title(self, text: str) -> None:
        """A house begins."""
        self._print(f"\n== {text}")

    @contextmanager
    def phase(self, house: str, name: str) -> Iterator[Phase]:
        """One phase: what is raised in it makes it failed, and is printed."""
        phase = Phase(house, name)
        self.phases.append(phase)
        self._now = phase
        started = time.monotonic()
        self._print(f"\n  -- {house}: {name}")
        try:
            yield phase
        except (AssertionError, LookupError, OSError, ValueError, TimeoutError) as error:
            phase.outcome = "failed"
            phase.reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
            self._print("\n".join(f"      ! {line}" for line in (str(error) or repr(error)).splitlines()))
        else:
            if phase.outcome != "skipped" or not phase.reason:
                phase.outcome = "ok" if phase.seen else "failed"
                phase.reason = "" if phase.seen else "nothing was looked at"
        finally:
            phase.minutes = (time.monotonic() - started) / 60
            self._now = None

    def skip(self, house: str, name: str, reason: str) -> None:
        """A phase that is not done, and why."""
        phase = Phase(house, name)
        phase.reason = reason
        self.phases.append(phase)

    def end(self) -> int:
        """The list of phases, and the exit code: 1 where one failed."""
        self._print("")
        for phase in self.phases:
            self._print(f"house: {phase.line}")
        counts = {outcome: sum(p.outcome == outcome for p in self.phases) for outcome in ("ok", "failed", "skipped")}
        minutes = sum(phase.minutes for phase in self.phases)
        self._print(
            f"house: {counts['ok']} ok, {counts['failed']} failed, {counts['skipped']} skipped;"
            f" {self._count['commands']} commands typed, {self._count['answers']} answers; {minutes:.1f} minutes"
        )
        return 1 if counts["failed"] else 0

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)
