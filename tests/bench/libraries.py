"""What a home's processes weigh, beside processes that have imported the same libraries and nothing of ours.

Less than these a service cannot weigh that is written with them. `python -m tests.bench memory`.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import floors, resident
from tests.bench.sides import Side

_IMPORTED = {
    "gateway": "gateway.__main__",
    "auth": "auth_service.app",
    "alerts": "alert_service.app",
    "readings": "alert_service.readings.app",
    "agent": "device_agents.__main__",
    "mailbox": "deploy.running.mailbox",
}
"""What each process of a home imports. The broker and the supervisor are others' programs: they are what they are."""
_OURS = ("alert_service", "auth_service", "deploy", "device_agents", "gateway", "shared")
_SAY = f"""
import importlib, sys
from shared.keeping.lean import without_orm
with without_orm():
    importlib.import_module(sys.argv[1])
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] not in {(*_OURS, "__main__")!r} and type(module).__name__ != "_LazyModule":
        print(name)
"""
"""What others wrote of all that is imported, a line each, without what waits for its first use."""


def measure(console: Console) -> Iterator[Table]:
    """A line for each process, and their sum."""
    with tempfile.TemporaryDirectory(prefix="homesystem-bench-") as folder:
        side = Side("here", Path(folder) / "here")
        console.print("a home of its own …")
        side.create()
        with side.running():
            here = side.weights()
    console.print("as many processes with their libraries alone …")
    yield _table(here, here | _least(here))


def _least(processes: Iterable[str]) -> dict[str, tuple[float, float]]:
    """What as many processes weigh with their libraries alone, all at once: what they share counts once."""
    with contextlib.ExitStack() as stack:
        lists = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pids = {}
        for name in processes:
            if (module := _IMPORTED.get("agent" if name.startswith("agent-") else name)) is not None:
                bare = floors.spawned("tests.bench.bare_libraries", str(_names(lists, module)))
                pids[name] = stack.enter_context(bare)
        return {name: resident.megabytes(pid) for name, pid in pids.items()}


def _table(here: Mapping[str, tuple[float, float]], least: Mapping[str, tuple[float, float]]) -> Table:
    table = Table("process", "resident MB", "of libraries alone", "proportional MB", "of libraries alone")
    for name in sorted(here):
        figures = (here[name][0], least[name][0], here[name][1], least[name][1])
        table.add_row(name, *(f"{figure:.1f}" for figure in figures))
    sums = [sum(proportional for _, proportional in weights.values()) for weights in (here, least)]
    table.add_row("the suite", "", "", *(f"{figure:.1f}" for figure in sums))
    return table


def _names(folder: Path, module: str) -> Path:
    """The file with the names of what `module` imports of others; made once."""
    path = folder / module
    if not path.exists():
        said = subprocess.run([sys.executable, "-c", _SAY, module], stdout=subprocess.PIPE, check=True)
        path.write_bytes(said.stdout)
    return path
