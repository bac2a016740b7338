"""A front door that is used by appointment: made by one, told by a letter, refused by another from its link."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.demo import Demo
from tests.e2e.actions import WAIT, card, message, read_letter, switch, wait_until_live
from tests.e2e.conftest import Open, own_home

Take = Callable[[Page, str], None]
DOOR = "hall/front-door"


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A home of this module's own: its front door is confirmed otherwise, and stays so."""
    with own_home(tmp_path_factory.mktemp("appointments"), "login_code", "login_code_account", "login") as made:
        yield made


@pytest.fixture(scope="module")
def signed_in() -> dict[str, StorageState]:
    """Cookies by role, in this module's home."""
    return {}


def test_an_appointment_is_seen_coming_and_refused_from_the_letters_link(
    open_page: Open, demo_home: Demo, shots: Take
) -> None:
    ways = open_page("/rooms/hall/front-door/confirm-by", role="master", javascript=False)
    ways.get_by_label("An appointment").check()
    ways.get_by_label("From the press to the appointment").select_option("2 minutes")
    shots(ways, "ways")
    ways.get_by_role("button", name="Save").click()
    expect(ways.get_by_text("It makes an appointment before it does what is not safe")).to_be_visible()

    edges, letters = len(demo_home.edges("hall", "front-door")), len(demo_home.letters())
    member = open_page("/", role="member", dark=True)
    wait_until_live(member)
    switch(member, DOOR, "unlock")
    expect(member.locator("#confirmation-text")).to_contain_text("It is done in 2 minutes.")
    shots(member, "question")
    member.locator("#confirmation-yes").click()
    expect(message(member)).to_contain_text("there is an appointment", timeout=WAIT)
    waits = card(member, DOOR).locator(".waits")
    expect(waits).to_contain_text("unless it is refused.", timeout=WAIT)
    expect(waits).to_contain_text(re.compile(r"\(1:\d\d left\)"), timeout=WAIT)
    expect(waits.get_by_role("button")).to_have_text(["Take it back"])
    shots(member, "waits")

    master = demo_home.users()["master"]["email"]
    told = read_letter(demo_home, "unless it is refused", to=master, after=letters)
    link = re.search(r"https://\S+/rooms/hall#hall\.front-door", told)
    assert link is not None, told
    page = open_page(link[0].removeprefix(demo_home.url), role="master", size=(360, 640), javascript=False)
    assert page.url.endswith("#hall.front-door")
    shots(page, "from the letter")
    expect(card(member, DOOR).locator(".waits")).to_have_count(1)
    card(page, DOOR).get_by_role("button", name="Refuse").click()
    expect(card(page, DOOR).locator(".waits")).to_have_count(0)
    expect(card(member, DOOR).locator(".waits")).to_have_count(0, timeout=WAIT)
    said = read_letter(demo_home, "was refused", to=master, after=letters)
    assert "Nothing was done." in said
    assert len(demo_home.edges("hall", "front-door")) == edges

    history = open_page("/history", role="master")
    for line in ("Made an appointment", "Refused an appointment"):
        expect(history.get_by_text(line).first).to_be_visible(timeout=WAIT)
    shots(history, "history")
