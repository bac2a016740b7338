"""Pages without JavaScript say and do what they must: switching, unlocking, tokens, the history, the language."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.demo import Demo
from tests.e2e.actions import card, look, word
from tests.e2e.conftest import Open, Program
from tests.house import until


@pytest.fixture
def page(open_page: Open, program: Program) -> Iterator[Page]:
    """The master user's browser, in which no script runs; lamp, door and language are as before in the end."""
    yield open_page("/", role="master", javascript=False, size=(360, 640))
    master = program("master")
    assert master.act("hall/lamp", "off").status == 200
    assert master.act("hall/front-door", "lock").status == 200
    assert master.call("PATCH", "/api/v1/me", {"language": None}).status == 200
    for token in master.call("GET", "/api/v1/tokens").body["tokens"]:
        assert master.call("DELETE", f"/api/v1/tokens/{token['id']}").status == 204


def test_a_lamp_is_switched_and_its_card_says_so(demo_home: Demo, page: Page) -> None:
    for action, named in (("on", "On"), ("off", "Off")):
        card(page, "hall/lamp").get_by_role("button", name=f"Switch Lamp {action}").click()
        expect(card(page, "hall/lamp").locator(".said")).to_contain_text(f"switched {action}")
        assert (look(page, "hall/lamp"), word(page, "hall/lamp")) == (action, named)
        pressed = card(page, "hall/lamp").get_by_role("button", name=f"Switch Lamp {action}", pressed=True)
        expect(pressed).to_be_visible()
    assert demo_home.edges("hall", "lamp")[-2:] == [1, 0]


def test_a_critical_door_asks_on_a_page_of_its_own(page: Page) -> None:
    for answer in ("Cancel", "Unlock Front door"):
        card(page, "hall/front-door").get_by_role("button", name="Unlock Front door").click()
        expect(page.get_by_role("heading", name="Unlock Front door?")).to_be_visible()
        page.get_by_role("link" if answer == "Cancel" else "button", name=answer, exact=True).click()
        expect(page.get_by_role("heading", name="Hall", exact=True)).to_be_visible()
        assert look(page, "hall/front-door") == ("locked" if answer == "Cancel" else "unlocked")
    expect(card(page, "hall/front-door").locator(".said")).to_contain_text("The room confirmed it.")


def test_a_token_is_made_shown_once_and_revoked(demo_home: Demo, page: Page) -> None:
    page.goto("/account")
    page.get_by_role("link", name="Make a token").click()
    page.get_by_label("What it is for").fill("Panel")
    page.get_by_label("after a week").check()
    page.get_by_label("Lamp: On").first.check()
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_label("Your password")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("after a week")).to_be_checked()
    page.get_by_label("Your password").fill(demo_home.users()["master"]["password"])
    page.get_by_role("button", name="Make it").click()
    assert page.get_by_label("Token", exact=True).input_value().startswith("hs_")
    page.get_by_role("link", name="Done").click()
    page.get_by_role("button", name="Revoke: Panel").click()
    expect(page.get_by_text("None yet. A token lets a program")).to_be_visible()


def test_the_history_is_filtered_and_says_beside_the_field_what_cannot_be(page: Page, program: Program) -> None:
    card(page, "hall/lamp").get_by_role("button", name="Switch Lamp on").click()
    # What is ordinary is recorded a moment later, and a page without a script shows what stood there when it was asked.
    until(
        lambda: program("master").call("GET", "/api/v1/audit").body["events"][0]["where"] == "hall/lamp", "it is told"
    )
    page.get_by_role("link", name="History").click()
    page.locator("summary", has_text="Filter and export").click()
    page.get_by_label("Room").select_option("hall")
    page.get_by_label("How it ended").select_option("executed")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#record .line").first).to_contain_text("Lamp")
    expect(page.locator("#record")).not_to_contain_text("Kitchen")
    page.goto("/history?since=nonsense")
    wrong = page.get_by_label("From", exact=True)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.locator(f"#{wrong.get_attribute('aria-describedby')}")).to_contain_text("Write a day such as")


def test_the_language_is_changed_and_every_page_follows(page: Page) -> None:
    page.goto("/account/profile")
    page.get_by_label("Language of your letters and pages").select_option("de")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto("/")
    expect(card(page, "hall/lamp").get_by_role("button", name="Lamp ausschalten")).to_be_visible()


def test_what_needs_a_script_says_so(page: Page) -> None:
    page.goto("/account/factors")
    expect(page.get_by_text("Passkeys need JavaScript.")).to_be_visible()
    expect(page.get_by_role("button", name="Make a passkey")).to_be_hidden()
