"""A guest's grants in a real browser: set without a script, felt by the guest's open page, told in a letter."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.demo import Demo
from tests.e2e.actions import read_letter, wait_until_live
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


def test_what_the_master_user_grants_without_a_script_is_on_the_guests_open_page_at_once(
    demo_home: Demo, open_page: Open, guest: str, shots: Take
) -> None:
    theirs = open_page("/", role="guest")
    wait_until_live(theirs)
    expect(theirs.locator(".device")).to_have_count(1)

    page = open_page("/users", role="master", javascript=False, dark=True)
    letters = len(demo_home.letters())
    page.locator(f'a[href="{guest}"]').click()
    page.get_by_label("Let ").select_option("hall/front-door")
    page.get_by_role("button", name="Choose when").click()
    page.get_by_label("From", exact=True).fill("08:00")
    page.get_by_label("To", exact=True).fill("08:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It ends when it begins.")).to_be_visible()
    expect(page.get_by_label("From", exact=True)).to_have_value("08:00")
    shots(page, "wrong")
    page.get_by_label("From", exact=True).fill("")
    page.get_by_label("To", exact=True).fill("")
    page.get_by_label("Only what is ticked").check()
    page.get_by_label("Lock", exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Front door")).to_be_visible()
    shots(page, "granted")

    door = theirs.locator('[id="hall.front-door"]')
    expect(door.get_by_role("button", name="Lock", exact=False)).to_have_count(1)
    expect(door.get_by_role("button", name="Unlock")).to_have_count(0)
    told = read_letter(demo_home, "Grants changed", to=demo_home.users()["master"]["email"], after=letters)
    assert "From now on" in told
    assert "Front door" in told

    page.get_by_role("button", name="Take away: Front door").click()
    expect(page.get_by_role("heading", name="Front door")).to_have_count(0)
    expect(door).to_have_count(0)
    theirs.goto("/account")
    expect(theirs.get_by_role("heading", name="Lamp in Hall")).to_be_visible()
    shots(theirs, "account")
