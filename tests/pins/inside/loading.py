"""Loads a module into the running kernel, with what it needs before it."""

import os
import subprocess
from pathlib import Path


def load(name: str, *parameters: str) -> None:
    """Load `name` where it is not loaded yet."""
    folder = Path(os.environ["HOMESYSTEM_PINS_MODULES"])
    for needed in (folder / f"{name}.needs").read_text().split():
        if not Path("/sys/module", needed.replace("-", "_")).exists():
            own = parameters if needed == name else ()
            subprocess.run(["busybox", "insmod", str(folder / f"{needed}.ko"), *own], check=True)


def unload(*names: str) -> None:
    """Take modules out again that nothing holds."""
    for name in names:
        subprocess.run(["busybox", "rmmod", name], check=True)
