"""Mail is down: the pages say so at once, a code is had at the hub, and the home is locked down without one."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.demo import Demo
from tests.e2e.actions import read_letter
from tests.e2e.conftest import Open, own_home
from tests.house import until

MASTER = "master@home.example"
AWAY = "Mail cannot be delivered just now."
Take = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A home of this module's own, whose mail server is away from the beginning."""
    with own_home(
        tmp_path_factory.mktemp("away"), "login_code", "login_code_account", "login", "lockdown_code", "lockdown"
    ) as made:
        made.supervise("stop", "mailbox")
        yield made


@pytest.fixture
def signed_in() -> dict[str, StorageState]:
    """Nobody: whoever signs in here needs the hub for it."""
    return {}


def code_at_the_hub(demo: Demo, page: Page) -> str:
    """Read the attempt's name on the page, and have a code made for it."""
    name = page.locator("#mail-away code").last.inner_text().removeprefix("homesystem code ")
    assert re.fullmatch("[2-9A-Z]{5}", name)
    made = demo.command("code", name.lower())
    assert made.returncode == 0, made.stderr
    assert MASTER in made.stdout
    found = re.search(r"(?m)^([2-9A-Z]{4}-[2-9A-Z]{4})$", made.stdout)
    assert found is not None, made.stdout
    return found[1]


def first_step(page: Page, demo: Demo, password: str | None = None) -> None:
    """E-mail and password, and the page that says that no letter comes."""
    page.get_by_label("E-mail").fill(MASTER)
    page.get_by_label("Password").fill(password or demo.users()["master"]["password"])
    page.get_by_role("button", name="Mail me a code").click()
    page.locator("#mail-away").get_by_text(AWAY).wait_for()


def sign_in(page: Page, demo: Demo) -> None:
    """Both steps, with a code from the hub."""
    page.goto(demo.url + "/login")
    first_step(page, demo)
    page.get_by_label("Code", exact=True).fill(code_at_the_hub(demo, page))
    if not page.get_by_label("Password").input_value():
        page.get_by_label("Password").fill(demo.users()["master"]["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(demo.url + "/")


def is_told(page: Page, words: str) -> bool:
    """Whether the page says so, made anew: the first letter has to be tried before anybody knows."""
    page.reload()
    return page.get_by_text(words).is_visible()


def test_the_hub_lets_the_owner_in_and_the_password_locks_the_home_down(
    demo_home: Demo, open_page: Open, shots: Take
) -> None:
    page = open_page("/login", dark=True)
    first_step(page, demo_home)
    expect(page.get_by_text("a code is on its way")).to_be_hidden()
    shots(page, "sign-in")
    sign_in(page, demo_home)
    until(lambda: is_told(page, "No letter goes out since"), "the pages tell the master user")
    shots(page, "home")

    page.goto("/lockdown")
    shots(page, "lockdown")
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Lock down now").click()
    page.get_by_text("The confirmation failed").wait_for()
    page.get_by_label("Your password").fill(demo_home.users()["master"]["password"])
    page.get_by_role("button", name="Lock down now").click()
    page.wait_for_url(demo_home.url + "/login")
    page.get_by_text("Everyone is signed out, you too.").wait_for()

    sign_in(page, demo_home)
    page.locator("#lockdown").get_by_role("link", name="End it…").click()
    page.get_by_role("button", name="Mail me a code").click()
    page.locator("#mail-away").get_by_text(AWAY).wait_for()
    shots(page, "end-lockdown")
    page.get_by_label("Password").fill(demo_home.users()["master"]["password"])
    page.get_by_label("Code", exact=True).fill(code_at_the_hub(demo_home, page))
    page.get_by_role("button", name="End the lockdown").click()
    page.get_by_text("The lockdown is over").wait_for()


def test_a_wrong_password_looks_the_same_and_the_hub_makes_no_code_for_it(
    demo_home: Demo, open_page: Open, shots: Take
) -> None:
    page = open_page("/login", javascript=False)
    first_step(page, demo_home, password="a wrong password")
    shots(page, "without-javascript")
    name = page.locator("#mail-away code").inner_text().removeprefix("homesystem code ")
    refused = demo_home.command("code", name)
    assert (refused.returncode, f"No attempt {name} waits for a code" in refused.stderr) == (1, True)


def test_once_mail_works_again_the_letters_say_what_was_done_at_the_hub(demo_home: Demo) -> None:
    demo_home.supervise("start", "mailbox")
    letter = read_letter(demo_home, r"Code made at the hub", to=MASTER, after=0)
    assert "Master" in letter
    assert "somebody knows your password" in letter
