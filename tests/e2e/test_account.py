"""One's own account in a real browser: another password, and what becomes of the other browsers."""

import time
from collections.abc import Callable, Iterator

import pyotp
import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.demo import Demo, text_of
from tests.e2e.actions import code_for, read_letter, wait_until_live
from tests.e2e.conftest import Open, own_home
from tests.house import until
from tests.looking import complaints

EMAIL, PASSWORD, NEW = "kim@home.example", "seven slow winter trains", "lanterns over quiet harbours"
Take = Callable[[Page, str], None]


def _with_kim(made: Demo) -> None:
    secret = made.var / "kim.txt"
    secret.write_text(PASSWORD)
    added = made.command("user", "add", EMAIL, "--name", "Kim", "--password-file", str(secret))
    assert added.returncode == 0, added.stderr
    secret.unlink()


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A home of this module's own: accounts are changed in it."""
    with own_home(
        tmp_path_factory.mktemp("account"), "login_code", "login_code_account", "login", prepared=_with_kim
    ) as made:
        yield made


@pytest.fixture
def signed_in() -> dict[str, StorageState]:
    """Nobody, at first."""
    return {}


def enter(page: Page, demo: Demo, password: str, *, own: bool = False, email: str = EMAIL) -> None:
    """Both steps; where the password is not right, no letter comes, and this fails."""
    page.goto("/login")
    before = len(demo.letters())
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Mail me a code").click()
    page.get_by_label("Code", exact=True).wait_for()
    if not page.get_by_label("Password").input_value():
        page.get_by_label("Password").fill(password)
    page.get_by_label("Code", exact=True).fill(code_for(demo, email, before))
    if own:
        page.get_by_label("This is my own device").check()
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(demo.url + "/")


def change(page: Page, current: str, new: str, again: str) -> None:
    """Fill the form in by keyboard alone, and send it."""
    page.goto("/account")
    page.get_by_role("link", name="Change it").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Change your password").wait_for()
    for typed in (current, new, again):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.get_by_role("button", name="Change it").focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("javascript", [True, False])
def test_another_password_signs_every_other_browser_out(
    open_page: Open, demo_home: Demo, shots: Take, *, javascript: bool
) -> None:
    old, new = (PASSWORD, NEW) if javascript else (NEW, PASSWORD)
    here = open_page(None, javascript=javascript, dark=not javascript)
    there = open_page(None)
    enter(here, demo_home, old, own=True)
    enter(there, demo_home, old)
    wait_until_live(there)
    before = len(demo_home.letters())
    change(here, "not the password", new, new)
    expect(here.get_by_text("Type the password that you have now")).to_be_visible()
    shots(here, f"wrong-{javascript}")
    change(here, old, new, new)
    expect(here.get_by_text("Your password is another one now")).to_be_visible()
    shots(here, f"changed-{javascript}")
    there.get_by_role("heading", name="Sign in").wait_for()
    expect(there.get_by_text("Your password was changed. Sign in with the new one.")).to_be_visible()
    shots(there, f"signed-out-{javascript}")
    expect(here.get_by_text("own device")).to_have_count(1)
    expires = {one["name"]: one["expires"] for one in here.context.cookies()}
    assert expires["__Host-session"] - time.time() > 300 * 86400, "a browser of one's own keeps it"
    letter = read_letter(demo_home, "Password changed", to=EMAIL, after=before)
    assert "Kim" in letter
    again = open_page(None)
    enter(again, demo_home, new)


def test_programs_list_and_end_sessions_as_far_as_they_may(demo_home: Demo) -> None:
    master, member, guest = (demo_home.client(role) for role in ("master", "member", "guest"))
    (listed,) = member.call("GET", "/api/v1/sessions").body["sessions"]
    assert (listed["this"], listed["own"], listed["user_id"]) == (True, False, member.user["id"])
    theirs = f"?user={member.user['id']}"
    assert guest.call("GET", f"/api/v1/sessions{theirs}").status == 403
    assert guest.call("DELETE", f"/api/v1/sessions/{listed['id']}{theirs}").status == 403
    assert guest.call("DELETE", f"/api/v1/sessions/{listed['id']}").status == 404, "it is none of theirs"
    assert guest.call("DELETE", f"/api/v1/sessions{theirs}").status == 403
    for wrong in ("?users=1", f"{theirs}&user=x", "?user=a&limit=3"):
        assert master.call("GET", f"/api/v1/sessions{wrong}").status == 400, wrong
    assert member.call("DELETE", "/api/v1/sessions", headers={"X-CSRF-Token": ""}).status == 403
    assert member.call("GET", "/api/v1/me").status == 200, "it lives still"
    assert master.call("DELETE", f"/api/v1/sessions/{listed['id']}{theirs}").status == 204
    assert master.call("DELETE", f"/api/v1/sessions/{listed['id']}{theirs}").status == 404, "it has ended"
    over = member.call("GET", "/api/v1/me")
    assert (over.status, over.body["reason"]) == (401, "ended")
    assert master.call("DELETE", "/api/v1/sessions").body == {"ended": 0}
    (mine,) = master.call("GET", "/api/v1/sessions").body["sessions"]
    assert master.call("DELETE", f"/api/v1/sessions/{mine['id']}").status == 204
    assert master.call("GET", "/api/v1/me").status == 401


def app_shows(page: Page) -> str:
    """What an app shows that was given the key on the page."""
    key = page.locator("code.typed").inner_text().replace(" ", "")
    return pyotp.TOTP(key).now()


def enter_with(page: Page, demo: Demo, code: Callable[[], str], *, user: dict[str, str]) -> None:
    """Both steps with a code that comes by no letter."""
    page.goto("/login")
    page.get_by_label("E-mail").fill(user["email"])
    page.get_by_label("Password").fill(user["password"])
    page.get_by_role("button", name="Mail me a code").click()
    page.get_by_label("Code", exact=True).wait_for()
    if not page.get_by_label("Password").input_value():
        page.get_by_label("Password").fill(user["password"])
    page.get_by_label("Code", exact=True).fill(code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(demo.url + "/")


@pytest.mark.parametrize("javascript", [True, False])
def test_an_authenticator_app_is_set_up_used_lost_and_given_up(
    open_page: Open, demo_home: Demo, shots: Take, *, javascript: bool
) -> None:
    user = demo_home.users()["guest" if javascript else "member"]
    page = open_page(None, javascript=javascript, dark=javascript)
    letters = len(demo_home.letters())
    enter_with(page, demo_home, lambda: code_for(demo_home, user["email"], letters), user=user)
    page.goto("/account")
    page.get_by_role("link", name="Add a strong factor").click()
    page.get_by_label("What you call it").fill("Phone")
    page.get_by_role("region", name="Add an authenticator app").get_by_label("Your password").fill(user["password"])
    shots(page, f"factors-{javascript}")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("not the code that the app shows")).to_be_visible()
    shots(page, f"factor-{javascript}")
    key = page.locator("code.typed").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(app_shows(page))
    before = len(demo_home.letters())
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    recovery = page.locator(".recovery code").all_inner_texts()
    assert len(recovery) == 10
    shots(page, f"recovery-{javascript}")
    read_letter(demo_home, "Sign-in factor added", to=user["email"], after=before)
    page.get_by_role("link", name="I have them").click()
    shots(page, f"after-{javascript}")

    earlier = len(demo_home.letters())
    again = open_page(None, javascript=javascript)
    enter_with(again, demo_home, recovery[0].lower, user=user)
    assert not [
        one for one in demo_home.letters(to=user["email"], after=earlier) if str(one["Subject"]) == "Home System code"
    ]
    app = pyotp.TOTP(key)
    used = int(time.time()) // 30
    until(lambda: int(time.time()) // 30 > used, "the app shows another code")
    enter_with(open_page(None), demo_home, app.now, user=user)

    page.goto("/account/factors")
    expect(page.get_by_text("9 of 10 are left")).to_be_visible()
    page.get_by_text("Remove", exact=True).click()
    page.locator("details[open]").get_by_label("Your password").fill(user["password"])
    page.locator("details[open]").get_by_label("A code of your app").fill(recovery[1])
    shots(page, f"remove-{javascript}")
    page.get_by_role("button", name="Remove Phone").click()
    expect(page.get_by_text("Now a code by mail is your second factor")).to_be_visible()


def test_somebody_is_invited_joins_is_changed_and_is_gone(open_page: Open, demo_home: Demo, shots: Take) -> None:
    email, chosen = "ben@home.example", "paper boats under bridges"
    master = open_page("/users", role="master")
    before = len(demo_home.letters())
    master.get_by_role("link", name="Invite somebody").click()
    master.get_by_label("Their e-mail address").fill(email)
    master.get_by_label("Their name").fill("Ben")
    master.get_by_label("Your password").fill("not the password")
    master.get_by_role("button", name="Invite them").click()
    expect(master.get_by_text("Type the password that you have now")).to_be_visible()
    expect(master.get_by_label("Their name")).to_have_value("Ben")
    shots(master, "invite-wrong")
    master.get_by_label("Your password").fill(demo_home.users()["master"]["password"])
    master.get_by_role("button", name="Invite them").click()
    expect(master.get_by_text("Ben is invited")).to_be_visible()
    shots(master, "invited")
    code = code_for(demo_home, email, before)
    (letter,) = demo_home.letters(to=email, after=before)
    link = next(word for word in text_of(letter).split() if "/invitations/" in word)
    assert link.startswith(demo_home.url)
    assert code not in link
    for _ in range(2):  # a mailbox that opens links by itself, and then the person
        ben = open_page(link, javascript=False)
        expect(ben.get_by_role("heading", name="You are invited")).to_be_visible()
    ben.get_by_label("Code", exact=True).fill(code.lower())
    ben.get_by_label("Password", exact=True).fill("ben ben ben")
    ben.get_by_label("Password, once more").fill("ben ben ben")
    ben.get_by_role("button", name="Make my account").click()
    expect(ben.get_by_text("one of those that are tried first")).to_be_visible()
    shots(ben, "join-wrong")
    ben.get_by_label("Code", exact=True).fill(code)
    ben.get_by_label("Password", exact=True).fill(chosen)
    ben.get_by_label("Password, once more").fill(chosen)
    ben.get_by_role("button", name="Make my account").click()
    expect(ben.get_by_text("The account is made")).to_be_visible()
    enter(ben, demo_home, chosen, email=email)
    assert "Ben" in read_letter(demo_home, "Account created", to=demo_home.users()["master"]["email"], after=before)
    ben.goto("/account/profile")
    ben.get_by_label("Language of your letters and pages").select_option("de")
    ben.get_by_role("button", name="Save").click()
    expect(ben.get_by_text("Ihr Konto ist geändert")).to_be_visible()
    shots(ben, "account-de")
    master.goto("/users")
    master.get_by_role("link", name="Change the account of Ben").click()
    shots(master, "person")
    master.get_by_label("What they may do").select_option("guest")
    master.locator("#current-save").fill(demo_home.users()["master"]["password"])
    master.get_by_role("button", name="Save").click()
    expect(master.get_by_text("The account is changed")).to_be_visible()
    ben.goto("/")
    expect(ben.get_by_text("What you may do here was changed.")).to_be_visible()
    master.get_by_role("link", name="Change the account of Ben").click()
    master.locator("summary", has_text="Erase the account").click()
    master.get_by_label("I mean it").check()
    master.locator("#current-erase").fill(demo_home.users()["master"]["password"])
    master.get_by_role("button", name="Erase the account").click()
    expect(master.get_by_text("The account is erased")).to_be_visible()
    expect(master.get_by_text(email)).to_have_count(0)
    again = open_page(link)
    again.get_by_label("Code", exact=True).fill(code)
    again.get_by_label("Password", exact=True).fill(chosen)
    again.get_by_label("Password, once more").fill(chosen)
    again.get_by_role("button", name="Make my account").click()
    expect(again.get_by_text("Check the code.")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_another_address_is_confirmed_by_a_letter_to_each(
    open_page: Open, demo_home: Demo, shots: Take, *, javascript: bool
) -> None:
    old, new = f"lee-{javascript}@home.example", f"lee-{javascript}@elsewhere.example"
    secret = demo_home.var / "lee.txt"
    secret.write_text(PASSWORD)
    name = "Lee" if javascript else "Lou"
    assert demo_home.command("user", "add", old, "--name", name, "--password-file", str(secret)).returncode == 0
    secret.unlink()
    here, there = open_page(None, javascript=javascript), open_page(None)
    enter(here, demo_home, PASSWORD, email=old)
    enter(there, demo_home, PASSWORD, email=old)
    wait_until_live(there)
    before = len(demo_home.letters())
    here.goto("/account")
    here.get_by_role("link", name="Change your address").click()
    here.get_by_label("New e-mail address").fill(new)
    here.get_by_label("Your password now").fill(PASSWORD)
    here.get_by_role("button", name="Send both letters").click()
    expect(here.get_by_text("Two letters are on their way")).to_be_visible()
    if javascript:  # which axe is made of
        here.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert complaints(here) == []
        here.evaluate("for (const one of document.querySelectorAll('details')) one.open = false")
    codes = {email: code_for(demo_home, email, before) for email in (old, new)}
    here.get_by_label(f"Code from the letter to {old}").fill(codes[new])
    here.get_by_label(f"Code from the letter to {new}").fill(codes[new])
    here.get_by_role("button", name="Change it").click()
    expect(here.get_by_text("five wrong ones end it")).to_be_visible()
    shots(here, f"address-wrong-{javascript}")
    here.get_by_label(f"Code from the letter to {old}").fill(codes[old].replace("-", "").lower())
    here.get_by_role("button", name="Change it").click()
    expect(here.get_by_text(f"You sign in with {new}")).to_be_visible()
    shots(here, f"address-changed-{javascript}")
    there.get_by_role("heading", name="Sign in").wait_for()
    expect(there.get_by_text("Your e-mail address was changed. Sign in with the new one.")).to_be_visible()
    assert "tell the master user" in read_letter(demo_home, "was changed", to=old, after=before)
    assert name in read_letter(demo_home, "E-mail address changed", to=new, after=before)
    enter(open_page(None), demo_home, PASSWORD, email=new)


def test_an_address_changed_at_the_hub_tells_the_former_one(demo_home: Demo) -> None:
    before = len(demo_home.letters())
    old, new = "mo@home.example", "mo@elsewhere.example"
    secret = demo_home.var / "mo.txt"
    secret.write_text(PASSWORD)
    assert demo_home.command("user", "add", old, "--name", "Mo", "--password-file", str(secret)).returncode == 0
    secret.unlink()
    assert demo_home.command("user", "email", old, EMAIL).returncode == 1, "it is somebody else's"
    changed = demo_home.command("user", "email", old, new)
    assert changed.returncode == 0, changed.stderr
    assert new in demo_home.command("user", "list").stdout
    assert "homesystem user email" in read_letter(demo_home, "was changed", to=old, after=before)


def test_enumeration_whose_address_it_is_shows_in_no_answer(demo_home: Demo) -> None:
    member, users = demo_home.client("member"), demo_home.users()
    taken, free, mine = users["master"]["email"].upper(), "nobody@elsewhere.example", users["member"]["email"]
    said = []
    for wanted in (free, taken):
        before = len(demo_home.letters())
        body = {"email": wanted, "current": users["member"]["password"]}
        asked = member.call("POST", "/api/v1/email", body)
        old = code_for(demo_home, mine, before)
        wrong = member.call("PUT", "/api/v1/email", {"old_code": old, "new_code": "ABCD-2345"})
        assert (asked.status, asked.body.pop("email")) == (202, wanted)
        assert asked.body.pop("expires_at")
        wrong.body.pop("instance", None)
        said.append((asked.body, wrong.status, wrong.body))
        assert member.call("GET", "/api/v1/email").body["wanted"]["email"] == wanted
    assert said[0] == said[1]
    assert said[0][1] == 403
    told = read_letter(demo_home, "wanted your e-mail address", to=users["master"]["email"], after=0)
    assert users["member"]["email"] not in told
    for wrong_body in ({"email": free}, {"email": free, "current": "x", "extra": 1}, {"email": ["a"], "current": "x"}):
        assert member.call("POST", "/api/v1/email", wrong_body).status in {400, 422}
