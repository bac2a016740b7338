"""Imports what stands in a file, a name a line, and waits to be ended: `python -m tests.bench.bare_libraries FILE`."""

import contextlib
import gc
import importlib
import signal
import sys
from pathlib import Path

gc.disable()
if sys.argv[1].endswith("device_agents.__main__"):
    importlib.import_module("device_agents.lean")  # passes over what no agent needs, and is next to nothing itself
from shared.keeping.lean import without_orm  # noqa: E402 - the order matters

with without_orm():
    for name in Path(sys.argv[1]).read_text().split():
        with contextlib.suppress(ImportError):  # a module that another made, and that has no file
            importlib.import_module(name)
gc.freeze()
gc.enable()
print("up", flush=True)
signal.pause()
