"""What a run found: counts, faults, and canaries in files where they have no business."""

import re
from collections import Counter
from pathlib import Path

from tests.demo import Demo
from tests.fuzz.odd import CANARY

KEPT = {
    "id": "a command's id is part of the record, and joins its letter, its answers and what the rooms say",
    "agent": "a session's browser is shown to its user",
    "name": "a room's and a device's name, as the room says it, stand in the registry",
    "said": "what a room or a client says in an event stands in the record and its letter",
}
"""Kinds of fields whose text the home keeps on purpose, outside its logs. There a command's id alone has its place."""
_MOST_FAULTS = 20


class Report:
    """Everything that a run counts. `logs_only`: what was sent is kept elsewhere on purpose, as rooms' words are."""

    def __init__(self, *, logs_only: bool = False) -> None:
        self._logs_only = logs_only
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.secrets: list[str] = []
        self.deaths: list[str] = []

    def count(self, what: str) -> None:
        """One more."""
        self.counts[what] += 1

    def fault(self, what: str) -> None:
        """What should not have been."""
        self.counts["unexpected"] += 1
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(what)

    def summary(self) -> str:
        """A line of counts."""
        return ", ".join(f"{self.counts[what]} × {what}" for what in sorted(self.counts) if self.counts[what])

    def look(self, demo: Demo, pids: dict[str, int]) -> None:
        """Look at the processes, and for canaries in every file of the home; and whether the logs tell of a failure."""
        now = demo.pids()
        self.deaths += [f"{name} was {pid}, is {now.get(name)}" for name, pid in pids.items() if now.get(name) != pid]
        for path in sorted(demo.var.rglob("*")):
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(demo.var)
                if name.parts[0] == "log" or not self._logs_only:
                    self.secrets += found_in(path, name)
        for path in sorted((demo.var / "log").glob("*.log*")):
            lines = path.read_text(errors="replace").splitlines()
            self.counts[f"lines of {path.name}"] += len(lines)
            for line in lines:
                if re.search(r"Traceback| (ERROR|CRITICAL) |status=500", line):
                    self.fault(f"{path.name}: {line[:300]}")

    def verdict(self) -> int:
        """Print everything; 0 if nothing is wrong."""
        print(self.summary())
        for title, found in (("unexpected", self.faults), ("deaths", self.deaths), ("secrets", self.secrets)):
            print(f"{len(found) if title != 'unexpected' else self.counts['unexpected']} × {title}")
            for one in found[:_MOST_FAULTS]:
                print(f"  {one}")
        return int(bool(self.faults or self.deaths or self.secrets))


def found_in(path: Path, name: Path) -> list[str]:
    """Each kind of canary in a file that should not hold it, how often, and the first with what stands around it."""
    pattern = re.compile(rf"(command_id=\"?)?{CANARY}-([a-z]+)-\d+".encode(), re.IGNORECASE)
    content, counts, first = path.read_bytes(), Counter[str](), dict[str, bytes]()
    for match in pattern.finditer(content):
        kind = match[2].decode().lower()
        is_kept = kind in KEPT and (name.parts[0] != "log" or (kind == "id" and match[1]))
        if not is_kept:
            counts[kind] += 1
            first.setdefault(kind, content[max(0, match.start() - 120) : match.end() + 20])
    return [f"{name}: {kind}, {count} times: {first[kind]!r}" for kind, count in counts.items()]
