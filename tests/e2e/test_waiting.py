"""A room whose file is made less strict: it waits, the master user says no on a page, and the door is as it was."""

from collections.abc import Iterator

import pytest

from tests.demo import Demo
from tests.e2e.conftest import Open, Program
from tests.house import until
from tests.loosened import loosened

DOOR = "/api/v1/devices/hall/front-door"


@pytest.fixture
def loose(demo_home: Demo) -> Iterator[None]:
    """While the hall's file is less strict."""
    with loosened(demo_home):
        yield


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
