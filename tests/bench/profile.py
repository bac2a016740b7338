"""Where gateway, alert service and agent spend their time under load: the ten topmost lines of each by own time.

`python -m tests.bench profile [--against REV]`. It looks at whole processes from outside with py-spy, which is no
dependency of ours: `.venv/bin/pip install py-spy`, once.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import floors, sides, volley
from tests.bench.sides import Side
from tests.demo import ROOT

PROCESSES = ("gateway", "alerts", f"agent-{sides.ROOM}")
CLIENTS = 8
TOPMOST = 10
_SAMPLES_A_SECOND = 200
_PLACE = re.compile(r".*?(?:site-packages/|lib/python3\.\d+/)")


class NoProfilerError(Exception):
    """py-spy is not there."""


def measure(revision: str | None, seconds: float, console: Console) -> Iterator[Table]:
    """One table for each process, of that commit first. Raises NoProfilerError, UnknownRevisionError."""
    profiler = find()
    with tempfile.TemporaryDirectory(prefix="homesystem-bench-") as folder:
        if revision is not None:
            commit = sides.resolve(revision)
            console.print(f"making a worktree of {commit} with an environment of its own …")
            with sides.worktree(commit) as tree:
                yield from _of_side(Side(commit, Path(folder) / "there", tree), tree, profiler, seconds, console)
        yield from _of_side(Side("here", Path(folder) / "here"), ROOT, profiler, seconds, console)


def find() -> str:
    """Where py-spy is: in this environment, or on the path. Raises NoProfilerError."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("py-spy", path=beside) or shutil.which("py-spy")
    if found is None:
        raise NoProfilerError("py-spy is not installed; run: .venv/bin/pip install py-spy")
    return found


def _of_side(side: Side, tree: Path, profiler: str, seconds: float, console: Console) -> Iterator[Table]:
    console.print(f"{side.name}: a home of its own …")
    side.create()
    with side.running():
        context = floors.trusting(side.demo.var / "pki" / "web-ca.crt")
        wishes, port = side.wishes(f"{sides.ROOM}/lamp", ("on", "off")), side.demo.ports["HTTPS"]
        volley.fire(port, context, wishes, CLIENTS, 1.0)
        for process in PROCESSES:
            console.print(f"{side.name}: {process} for {seconds:.0f} s under load …")
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "samples"
                recording = _record(profiler, side.pid(process), path, seconds)
                over = threading.Thread(target=recording.wait)
                over.start()
                while over.is_alive():
                    volley.fire(port, context, wishes, CLIENTS, 0.5)
                said = recording.communicate()[0].decode()
                assert recording.returncode == 0, said
                yield _table(f"{process}, {side.name}", own(path.read_text(), tree))


def _record(profiler: str, pid: int, path: Path, seconds: float) -> "subprocess.Popen[bytes]":
    command = [profiler, "record", "--pid", str(pid), "--duration", str(round(seconds)), "--format", "raw"]
    command += ["--rate", str(_SAMPLES_A_SECOND), "--output", str(path)]
    # Stopping the process for each look makes threads that wait look as if they worked.
    command.append("--nonblocking")
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def own(samples: str, tree: Path) -> Counter[str]:
    """How many samples fell on each line itself, from stacks as `outer (file:1);inner (file:2) 17`.

    Files of `tree` are named from there, libraries' by their package.
    """
    found: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _, count = line.rpartition(" ")
        if not stack:  # it was looked at in between
            continue
        name, _, place = stack.rpartition(";")[2].rpartition(" (")
        place = place.removesuffix(")").removeprefix(f"{tree}/")
        found[f"{_PLACE.sub('', place)}  {name}"] += int(count)
    return found


def _table(title: str, lines: Counter[str]) -> Table:
    table = Table("own time", "line", title=title, title_justify="left")
    for line, count in lines.most_common(TOPMOST):
        table.add_row(f"{100 * count / lines.total():.1f} %", line)
    return table
