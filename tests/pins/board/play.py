"""A run of the board's tests on one kernel, by the Python that asks for it."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from tests.pins.board.image import KERNELS, Image
from tests.pins.guest import ROOT, Outcome
from tests.pins.scenes import Scene

FOLDER = "tests/pins/board"
FILES = ("test_gpiod.py", "test_persisting.py", "test_original.py", "test_firmware.py", "test_watchdog.py")
SINCE = {"test_persisting.py": "6.12"}
"""Files about what an older kernel does not have, and the first of KERNELS that has it."""


def scene(name: str) -> Scene:
    """What is tried on the board with that kernel."""
    known = [file for file in FILES if KERNELS.index(name) >= KERNELS.index(SINCE.get(file, KERNELS[0]))]
    return Scene(name="board", tests=tuple(f"{FOLDER}/{file}" for file in known), modules=(), seconds=1800.0)


def run(name: str, image: Image, *, said: Callable[[str], None] | None = None) -> Outcome:
    """As tests.pins.guest.run, but the tests run here, and ask the board; `said` is told each line of pytest's."""
    played = scene(name)
    with tempfile.TemporaryDirectory(prefix="home-pins-") as folder:
        out = Path(folder)
        environment = os.environ | {"HOMESYSTEM_PINS_BOARD": name, "HOMESYSTEM_PINS_OUT": folder}
        pytest = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
        process = subprocess.Popen(
            [*pytest, "--tb=short", f"--junitxml={out / 'results.xml'}", *played.tests],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        too_long = threading.Timer(played.seconds, process.terminate)
        too_long.start()
        lines = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line.rstrip())
                if said is not None:
                    said(lines[-1])
            code = process.wait()
        finally:
            too_long.cancel()
            process.terminate()  # it ends the board that it has started
            process.wait()
        files = {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.is_file()}
        return Outcome(code=code, console="\n".join(lines), files=files)
