"""A front door that takes two: two people in two browsers, one of them without a script; a third who refuses."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.demo import Demo
from tests.e2e.actions import WAIT, card, message, read_letter, switch, wait_for_look, wait_until_live
from tests.e2e.conftest import Open, own_home

Take = Callable[[Page, str], None]
DOOR = "hall/front-door"


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A home of this module's own: its front door is confirmed otherwise, and stays so."""
    with own_home(tmp_path_factory.mktemp("two"), "login_code", "login_code_account", "login") as made:
        yield made


@pytest.fixture(scope="module")
def signed_in() -> dict[str, StorageState]:
    """Cookies by role, in this module's home."""
    return {}


@pytest.fixture(scope="module")
def edges(demo_home: Demo) -> Callable[[], int]:
    """How often the lock has moved."""
    return lambda: len(demo_home.edges("hall", "front-door"))


def test_two_people_open_the_door_and_a_letter_names_both(
    open_page: Open, demo_home: Demo, edges: Callable[[], int], shots: Take
) -> None:
    ways = open_page("/rooms/hall/front-door/confirm-by", role="master", javascript=False)
    ways.get_by_label("Two persons").check()
    shots(ways, "ways")
    ways.get_by_role("button", name="Save").click()
    expect(ways.get_by_text("It takes two persons before it does what is not safe.")).to_be_visible()

    before, letters = edges(), len(demo_home.letters())
    master, member = open_page("/", role="master"), open_page("/", role="member", dark=True)
    for page in (master, member):
        wait_until_live(page)
    switch(member, DOOR, "unlock")
    expect(member.locator("#confirmation-text")).to_contain_text("nothing is done until a second person")
    member.locator("#confirmation-yes").click()
    expect(message(member)).to_contain_text("it takes a second person", timeout=WAIT)
    for page, other in ((member, False), (master, True)):
        waits = card(page, DOOR).locator(".waits")
        expect(waits).to_contain_text("Unlock Front door", timeout=WAIT)
        expect(waits).to_contain_text("left)", timeout=WAIT)
        expect(waits.get_by_role("button", name="Agree")).to_have_count(int(other))
    assert edges() == before
    shots(master, "asked")
    shots(member, "waits")

    switch(member, DOOR, "unlock")  # the same person once more is no second one
    member.locator("#confirmation-yes").click()
    expect(message(member)).to_contain_text("it takes a second person", timeout=WAIT)
    assert edges() == before

    card(master, DOOR).get_by_role("button", name="Agree").click()
    expect(master.locator("#confirmation-text")).to_contain_text("As soon as a second person does")
    master.locator("#confirmation-yes").click()
    for page in (master, member):
        wait_for_look(page, DOOR, "unlocked")
        expect(card(page, DOOR).locator(".waits")).to_have_count(0, timeout=WAIT)
    assert edges() == before + 1
    users = demo_home.users()
    told = read_letter(demo_home, "unlocked", to=users["master"]["email"], after=letters)
    names = [page.evaluate("fetch('/api/v1/me').then((it) => it.json())")["user"]["name"] for page in (member, master)]
    assert f"{names[0]} and {names[1]}" in told

    switch(master, DOOR, "lock")  # what is safe waits for nobody
    wait_for_look(master, DOOR, "locked")
    history = open_page("/history", role="master")
    for line in ("Wants what takes two", "Agreed to what takes two", f"Wanted first by {names[0]}."):
        expect(history.get_by_text(line).first).to_be_attached(timeout=WAIT)


def test_without_a_script_one_asks_and_another_refuses_then_agrees(
    open_page: Open, edges: Callable[[], int], shots: Take
) -> None:
    before = edges()
    for answer in ("Refuse", "Agree"):
        asking = open_page("/rooms/hall", role="member", javascript=False)
        asking.get_by_role("button", name="Unlock Front door", exact=True).click()
        asking.get_by_role("button", name="Unlock Front door").click()
        expect(card(asking, DOOR)).to_contain_text("A second person has to want it, too, by")
        assert edges() == before
        other = open_page("/rooms/hall", role="master", javascript=False)
        shots(other, answer)
        card(other, DOOR).get_by_role("button", name=answer).click()
        if answer == "Agree":
            other.get_by_role("button", name="Unlock Front door").click()
            expect(card(other, DOOR)).to_contain_text("unlocked")
        else:
            expect(card(other, DOOR)).to_contain_text("taken back")
            asking.reload()
            expect(card(asking, DOOR).locator(".waits")).to_have_count(0)
            assert edges() == before
    assert edges() == before + 1
