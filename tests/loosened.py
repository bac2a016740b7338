"""A room whose file asks for less than it did, which waits for the master user's word: for tests and pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.demo import Demo


@contextmanager
def loosened(demo: Demo) -> Iterator[None]:
    """The hall's file no longer says that the front door asks before it acts; in the end it does again."""
    path = demo.var / "agents" / "hall.toml"
    strict = path.read_text()
    _restart(demo, path, _without_question(strict))
    try:
        yield
    finally:
        _restart(demo, path, strict)


def _without_question(text: str) -> str:
    before, door, after = text.partition('id = "front-door"')
    assert door
    return before + door + after.replace("confirm = true", "confirm = false", 1)


def _restart(demo: Demo, path: Path, text: str) -> None:
    path.write_text(text)
    demo.reborn("agent-hall", demo.kill("agent-hall"))
