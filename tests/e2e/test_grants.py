"""A guest's grants in a real browser: set without a script, felt by the guest's open page, told in a letter."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.demo import Demo
from tests.e2e.actions import WAIT, read_letter, wait_until_live
from tests.e2e.conftest import Open, Program

Take = Callable[[Page, str], None]


@pytest.fixture
def guest(demo_home: Demo, program: Program) -> Iterator[str]:
    """The guest's page of grants; what stood is put back."""
    master, email = program("master"), demo_home.users()["guest"]["email"]
    users = master.call("GET", "/api/v1/users").body["users"]
    row = next(row for row in users if row["user"]["email"] == email)
    path = f"/users/{row['user']['id']}/grants"
    yield path
    assert master.call("PUT", f"/api/v1{path}", {"grants": row["grants"]}).status == 200


def test_the_hubs_command_and_the_end_of_an_hour_are_felt_by_an_open_page(
    demo_home: Demo, open_page: Open, program: Program, guest: str
) -> None:
    theirs = open_page("/", role="guest")
    wait_until_live(theirs)
    expect(theirs.locator(".device")).to_have_count(1, timeout=WAIT)
    granted = demo_home.command("user", "grant", demo_home.users()["guest"]["email"], "--may", "kitchen/blind")
    assert "kitchen/blind (now)" in granted.stdout
    expect(theirs.locator('[id="kitchen.blind"]')).to_be_visible(timeout=WAIT)

    master = program("master")
    now = datetime.fromisoformat(master.call("GET", "/api/v1/time").body["now"])
    until = (now + timedelta(seconds=3)).isoformat()
    lamp = {"room": "hall", "device": "lamp", "until": until}
    assert master.call("PUT", f"/api/v1{guest}", {"grants": [lamp]}).status == 200
    expect(theirs.locator('[id="kitchen.blind"]')).to_have_count(0, timeout=WAIT)
    expect(theirs.locator(".device")).to_have_count(0, timeout=WAIT)
    expect(theirs.get_by_text("Nothing here is yours to use just now.")).to_be_visible(timeout=WAIT)


def test_what_the_master_user_grants_without_a_script_is_on_the_guests_open_page_at_once(
    demo_home: Demo, open_page: Open, guest: str, shots: Take
) -> None:
    theirs = open_page("/", role="guest")
    wait_until_live(theirs)
    expect(theirs.locator(".device")).to_have_count(1, timeout=WAIT)

    page = open_page("/users", role="master", javascript=False, dark=True)
    letters = len(demo_home.letters())
    page.locator(f'a[href="{guest}"]').click()
    page.get_by_label("Let ").select_option("hall/front-door")
    page.get_by_role("button", name="Choose when").click()
    page.get_by_label("From", exact=True).fill("08:00")
    page.get_by_label("To", exact=True).fill("08:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It ends when it begins.")).to_be_visible(timeout=WAIT)
    expect(page.get_by_label("From", exact=True)).to_have_value("08:00")
    shots(page, "wrong")
    page.get_by_label("From", exact=True).fill("")
    page.get_by_label("To", exact=True).fill("")
    page.get_by_label("Only what is ticked").check()
    page.get_by_label("Lock", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Front door")).to_be_visible(timeout=WAIT)
    shots(page, "granted")

    door = theirs.locator('[id="hall.front-door"]')
    expect(door.get_by_role("button", name="Lock", exact=False)).to_have_count(1, timeout=WAIT)
    expect(door.get_by_role("button", name="Unlock")).to_have_count(0, timeout=WAIT)
    told = read_letter(demo_home, "Grants changed", to=demo_home.users()["master"]["email"], after=letters)
    assert "From now on" in told
    assert "Front door" in told

    page.get_by_role("button", name="Take away: Front door").click()
    expect(page.get_by_role("heading", name="Front door")).to_have_count(0, timeout=WAIT)
    expect(door).to_have_count(0, timeout=WAIT)
    theirs.goto("/account")
    expect(theirs.get_by_role("heading", name="Lamp in Hall")).to_be_visible(timeout=WAIT)
    shots(theirs, "account")
