"""A passkey in Chromium, with a virtual authenticator: made, used alone, lost, and removed.

That succeeds also where a browser without one refuses for the certificate, so of that it proves nothing.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.demo import Demo
from tests.e2e.actions import plug_in, read_letter, sign_in, wait_until_live
from tests.e2e.conftest import CHROMIUM, Open, own_home

Take = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def chromium() -> str:
    """The whole one, which keeps passkeys."""
    return CHROMIUM


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A home of this module's own: a member's way to sign in is changed in it."""
    with own_home(tmp_path_factory.mktemp("passkeys"), "login_code", "login_code_account", "login", "password") as made:
        yield made


@pytest.fixture
def signed_in() -> dict[str, StorageState]:
    """Nobody, at first."""
    return {}


def test_a_passkey_is_made_signs_in_alone_is_lost_and_removed(open_page: Open, demo_home: Demo, shots: Take) -> None:
    user = demo_home.users()["member"]
    page = open_page(None)
    sign_in(page, demo_home, "member")
    devices, device = plug_in(page)
    page.goto("/account/factors")
    section = page.get_by_role("region", name="Add a passkey")
    before = len(demo_home.letters())
    section.get_by_label("What you call the passkey").fill("Laptop")
    section.get_by_label("Your password").fill("not the password at all")
    section.get_by_role("button", name="Make a passkey").click()
    expect(section.get_by_role("alert")).to_contain_text("The password is wrong")
    expect(section.get_by_label("Your password")).to_have_value("")
    shots(page, "refused")
    section.get_by_label("Your password").fill(user["password"])
    section.get_by_role("button", name="Make a passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    expect(page.get_by_role("listitem")).to_have_count(10)
    code = page.get_by_role("listitem").first.inner_text().strip()
    shots(page, "codes")
    (made,) = devices.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert (made["isResidentCredential"], made["rpId"]) == (True, "localhost")
    letter = read_letter(demo_home, "Sign-in factor added", to=user["email"], after=before)
    assert "passkey" in letter
    page.get_by_role("link", name="I have them").click()
    expect(page.get_by_text("passkey, since")).to_be_visible()
    shots(page, "listed")

    page.goto("/account")
    page.get_by_role("button", name="Sign out here").click()
    page.wait_for_url("**/login*")
    passkey = page.get_by_role("button", name="Sign in with a passkey")
    passkey.wait_for()
    shots(page, "door")
    passkey.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(demo_home.url + "/")
    page.goto("/account/factors")
    expect(page.get_by_text("last used")).to_be_visible()

    elsewhere = open_page(None, dark=True)  # where the passkey is not: no letter comes, a recovery code stands in
    elsewhere.goto("/login")
    letters = len(demo_home.letters(to=user["email"]))
    elsewhere.get_by_label("E-mail").fill(user["email"])
    elsewhere.get_by_label("Password").fill(user["password"])
    elsewhere.get_by_role("button", name="Mail me a code").click()
    elsewhere.get_by_label("Code", exact=True).fill(code)
    elsewhere.get_by_role("button", name="Sign in", exact=True).click()
    elsewhere.wait_for_url(demo_home.url + "/")
    codes = [one for one in demo_home.letters(to=user["email"])[letters:] if str(one["Subject"]) == "Home System code"]
    assert codes == []

    elsewhere.goto("/account/factors")
    shots(elsewhere, "dark")
    elsewhere.get_by_text("Remove", exact=True).click()
    row = elsewhere.get_by_role("listitem").filter(has_text="Laptop")
    row.get_by_label("Your password").fill(user["password"])
    expect(row.get_by_label("A recovery code")).to_have_count(0)  # one was typed a minute ago, and counts for five
    row.get_by_role("button", name="Remove Laptop").click()
    expect(elsewhere.get_by_text("Removed")).to_be_visible()

    page.goto("/account")
    page.get_by_role("button", name="Sign out here").click()
    passkey.click()
    expect(page.get_by_role("alert").filter(has_text="The sign-in failed")).to_be_visible()


def test_a_door_asks_for_the_passkey_and_opens_by_it(open_page: Open, demo_home: Demo, shots: Take) -> None:
    user = demo_home.users()["master"]
    page = open_page(None)
    sign_in(page, demo_home, "master")
    plug_in(page)
    page.goto("/account/factors")
    section = page.get_by_role("region", name="Add a passkey")
    section.get_by_label("Your password").fill(user["password"])
    section.get_by_role("button", name="Make a passkey").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    recovery = page.get_by_role("listitem").first.inner_text().strip()

    page.goto("/rooms/hall")
    door = page.get_by_role("article", name="Front door")
    door.get_by_text("Lock-out, confirmation").click()
    before = len(demo_home.letters())
    door.get_by_role("link", name="How Front door is confirmed").click()
    expect(page.get_by_role("radio", name="Nothing The room")).to_be_disabled()
    page.get_by_label("A passkey or a code").check()
    shots(page, "ways")
    page.get_by_role("button", name="Save").click()
    expect(door.get_by_text("It asks for a passkey or a code before")).to_be_visible()
    assert "step-up" in read_letter(demo_home, "asks for more", to=user["email"], after=before)

    page.goto("/")
    wait_until_live(page)
    page.get_by_role("button", name="Unlock Front door").click()
    page.get_by_role("heading", name="Unlock Front door?").wait_for()
    show = page.get_by_role("button", name="Show your passkey")
    show.wait_for()
    shots(page, "asked")
    show.click()
    expect(page.get_by_text("Front door in Hall: unlocked")).to_be_visible()
    shots(page, "opened")
    page.get_by_role("button", name="Unlock Front door").click()
    page.get_by_role("heading", name="Unlock Front door?").wait_for()
    expect(page.get_by_label("A recovery code")).to_have_count(0)  # what was shown counts for a while

    simple = open_page(None, javascript=False)  # where the passkey is not, and nothing but a form
    simple.goto("/login")
    simple.get_by_label("E-mail").fill(user["email"])
    simple.get_by_label("Password").fill(user["password"])
    simple.get_by_role("button", name="Mail me a code").click()
    simple.get_by_label("Password").fill(user["password"])
    simple.get_by_label("Code", exact=True).fill(recovery)
    simple.get_by_role("button", name="Sign in", exact=True).click()
    simple.wait_for_url(demo_home.url + "/")
    simple.goto("/rooms/hall/front-door/confirm-by")
    simple.get_by_label("A dialog").check()
    simple.get_by_role("button", name="Save").click()
    expect(simple.get_by_text("It asks before it does what is not safe.")).to_be_visible()


def test_under_an_address_none_is_offered_but_the_way_to_where_it_works(open_page: Open, demo_home: Demo) -> None:
    page = open_page(None)
    page.goto(demo_home.url.replace("localhost", "127.0.0.1") + "/login")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)


def test_without_a_script_none_is_offered(open_page: Open, demo_home: Demo) -> None:
    page = open_page(None, javascript=False)
    sign_in(page, demo_home, "guest")
    page.goto("/account/factors")
    expect(page.get_by_text("Passkeys need JavaScript.")).to_be_visible()
    expect(page.get_by_role("button", name="Make a passkey")).to_be_hidden()
