"""Names, order, favourites and hiding in a real browser: the master user's for everybody, and a member's own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.actions import card, switch, wait_for_look, wait_until_live
from tests.e2e.conftest import Open, Program


def devices(page: Page, room: str) -> list[str]:
    """What stands in a room on the page, in its order."""
    found: list[str] = page.locator(f'section.room[data-room="{room}"] .device').evaluate_all(
        "(all) => all.map((one) => one.dataset.device)"
    )
    return found


def rooms(page: Page) -> list[str]:
    """The rooms on the page, in their order."""
    found: list[str] = page.locator("section.room").evaluate_all("(all) => all.map((one) => one.dataset.room)")
    return found


@pytest.fixture(autouse=True)
def as_it_was(program: Program) -> Iterator[None]:
    """Afterwards the home looks as it did: other tests know its devices by their names."""
    yield
    master, member = program("master"), program("member")
    master.call("PATCH", "/api/v1/looks", {"order": []})
    master.call("PATCH", "/api/v1/looks/hall", {"name": None, "icon": None, "hidden": False, "order": []})
    master.call("PATCH", "/api/v1/looks/hall/lamp", {"name": None, "icon": None, "hidden": False})
    for client in (master, member):
        client.call("PATCH", "/api/v1/me/looks", {"order": []})
        client.call("PATCH", "/api/v1/me/looks/hall", {"hidden": None, "order": []})
        client.call("PATCH", "/api/v1/me/looks/hall/lamp", {"favourite": False, "hidden": None})


def test_the_master_user_names_and_orders_and_a_members_open_page_follows(open_page: Open) -> None:
    member = open_page(role="member")
    wait_until_live(member)
    assert rooms(member)[0] == "garage"
    master = open_page("/house/names/hall/lamp", role="master")
    master.get_by_label("What everybody calls it").fill("Reading lamp")
    master.get_by_role("radio", name="Plant").check()
    master.get_by_role("button", name="Save").click()
    expect(master.get_by_role("status")).to_contain_text("Saved")
    lamp = member.locator("#hall\\.lamp")
    expect(lamp.locator(".name")).to_have_text("Reading lamp")
    assert (lamp.locator(".disc use").get_attribute("href") or "").endswith("#plant")
    master.get_by_role("button", name="Move Reading lamp up").click()
    expect(master.locator(".arranged li").first).to_contain_text("Reading lamp")
    member.wait_for_function(
        "() => document.querySelector('section[data-room=hall] .device').dataset.device === 'lamp'"
    )
    assert devices(member, "hall")[:2] == ["lamp", "front-door"]
    master.goto("/house/arrange")
    master.get_by_role("button", name="Move Hall up").click()
    member.wait_for_function("() => document.querySelector('section.room').dataset.room === 'hall'")
    switch(member, "hall/lamp", "on")
    wait_for_look(member, "hall/lamp", "on")


def test_a_member_favours_and_hides_and_nobody_else_sees_that(open_page: Open) -> None:
    other = open_page(role="master")
    wait_until_live(other)
    page = open_page(role="member")
    wait_until_live(page)
    card(page, "hall/lamp").get_by_role("button", name="Favourite: Lamp").click()
    first = page.locator(".device").first
    expect(first).to_have_attribute("id", "hall.lamp")
    expect(page.get_by_role("region", name="Favourites")).to_contain_text("Hall")
    wait_until_live(page)
    switch(page, "hall/lamp", "on")
    wait_for_look(page, "hall/lamp", "on")
    expect(page.locator("#headline")).to_contain_text("Lamp in Hall is on")
    page.goto("/arrange/hall")
    page.get_by_role("button", name="Hide Lamp").click()
    page.goto("/rooms/hall")
    wait_until_live(page)
    fold = page.locator("details.put-away")
    expect(fold.locator("> summary")).to_have_text("1 hidden device")
    expect(page.locator("#hall\\.lamp")).not_to_be_visible()
    fold.locator("> summary").press("Enter")
    switch(page, "hall/lamp", "off")
    wait_for_look(page, "hall/lamp", "off")
    assert other.locator("details.put-away, .favourites").count() == 0


def test_what_the_home_hides_is_folded_away_while_the_page_is_open_and_unfolds_when_it_is_unlocked(
    open_page: Open, program: Program
) -> None:
    page = open_page("/rooms/hall", role="member")
    wait_until_live(page)
    master = program("master")
    master.call("PATCH", "/api/v1/looks/hall/front-door", {"hidden": True})
    try:
        expect(page.locator("details.put-away")).to_have_count(1)
        expect(page.locator("details.put-away")).not_to_have_attribute("open", "")
        master.call("POST", "/api/v1/devices/hall/front-door/commands", {"action": "unlock", "confirm": True})
        expect(page.locator("details.put-away")).to_have_attribute("open", "")
        expect(page.locator("#hall\\.front-door .word")).to_have_text("Unlocked")
    finally:
        master.call("POST", "/api/v1/devices/hall/front-door/commands", {"action": "lock"})
        master.call("PATCH", "/api/v1/looks/hall/front-door", {"hidden": False})


def test_without_javascript_by_forms_alone(open_page: Open) -> None:
    page = open_page("/arrange", role="member", javascript=False)
    page.get_by_role("button", name="Move Kitchen up").click()
    expect(page.locator(".arranged li").nth(1)).to_contain_text("Kitchen")
    page.get_by_role("link", name="Hall").click()
    page.get_by_role("button", name="Favourite: Lamp").click()
    page.goto("/")
    assert rooms(page) == ["garage", "kitchen", "hall"]
    expect(page.locator(".device").first).to_have_attribute("id", "hall.lamp")
    card(page, "hall/lamp").get_by_role("button", name="Favourite: Lamp").click()
    assert page.locator(".favourites").count() == 0
    page.goto("/arrange")
    page.get_by_role("button", name="Take the home's order again").click()
    page.goto("/")
    assert rooms(page) == ["garage", "hall", "kitchen"]
