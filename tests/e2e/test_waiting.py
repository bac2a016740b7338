"""A room whose file is made less strict: it waits, the master user says no on a page, and the door is as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo import Demo
from tests.e2e.conftest import Open, Program
from tests.house import until

DOOR = "/api/v1/devices/hall/front-door"


@pytest.fixture
def loose(demo_home: Demo) -> Iterator[None]:
    """The hall's file no longer says that the front door asks before it acts; in the end it does again."""
    path = demo_home.var / "agents" / "hall.toml"
    strict = path.read_text()
    _restart(demo_home, path, _without_question(strict))
    yield
    _restart(demo_home, path, strict)


def _without_question(text: str) -> str:
    before, door, after = text.partition('id = "front-door"')
    assert door
    return before + door + after.replace("confirm = true", "confirm = false", 1)


def _restart(demo: Demo, path: Path, text: str) -> None:
    path.write_text(text)
    demo.reborn("agent-hall", demo.kill("agent-hall"))


@pytest.mark.usefixtures("loose")
def test_the_master_user_says_no_and_the_door_is_as_it_was(open_page: Open, program: Program) -> None:
    master = program("master")

    def shown() -> bool:
        page.goto("/waiting")
        return page.get_by_text("Nobody would be asked any more before it acts.").count() == 1

    page = open_page("/waiting", role="master", javascript=False)
    until(shown, "it waits")
    assert master.device("hall/front-door")["confirm"] is True
    page.get_by_role("button", name="Leave Front door as it is").click()
    page.get_by_text("Front door in Hall stays as it was").wait_for()
    page.get_by_text("Nothing waits.").wait_for()
    assert master.device("hall/front-door")["confirm"] is True
