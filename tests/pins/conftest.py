"""Keeps what belongs into a guest out of this machine's tests, and gives what is inside its word for the report."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

OUT = Path(os.environ.get("HOMESYSTEM_PINS_OUT", "/mnt/out"))
collect_ignore_glob = [] if "HOMESYSTEM_PINS_MODULES" in os.environ else ["inside/*"]
if "HOMESYSTEM_PINS_BOARD" not in os.environ:
    collect_ignore_glob.append("board/*")


@pytest.fixture
def saw() -> Callable[[str], None]:
    """Tells the report what was seen, in one line that stands for itself."""

    def tell(what: str) -> None:
        with (OUT / "seen").open("a") as file:
            file.write(f"{what}\n")

    return tell
