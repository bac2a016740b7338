"""A lockdown in a real browser at phone size, with and without JavaScript, by program and by the hub's command."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from tests.demo import Demo
from tests.e2e.actions import (
    button,
    card,
    code_for,
    message,
    read_letter,
    sign_in,
    switch,
    wait_for_look,
    wait_until_live,
)
from tests.e2e.conftest import Open, own_home
from tests.house import until

MASTER, MEMBER = "master@home.example", "member@home.example"
REFUSED = "Off, lock and stop still work; the master user ends a lockdown."
Take = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A home of this module's own: whoever was signed in elsewhere must not be signed out by it."""
    with own_home(
        tmp_path_factory.mktemp("down"), "login_code", "login_code_account", "login", "lockdown_code", "lockdown"
    ) as made:
        yield made


@pytest.fixture
def signed_in() -> dict[str, StorageState]:
    """Nobody, at first: sessions do not outlive a lockdown."""
    return {}


def refusals(demo: Demo) -> int:
    """How many refused commands wait to be told in a digest."""
    with contextlib.closing(sqlite3.connect(f"file:{demo.var}/data/alerts.sqlite3?mode=ro", uri=True)) as record:
        found = record.execute(
            "SELECT count(*) FROM letters one JOIN letters many ON one.digest = many.id WHERE many.kind = 'refused'"
        )
        return int(found.fetchone()[0])


def begin(page: Page, demo: Demo, email: str, *, shots: Take) -> None:
    """From the home page to the end of the session, by keyboard: a wrong code, then the one from the mailbox."""
    page.goto("/")
    page.get_by_role("link", name="Lock down…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Lock the home down").wait_for()
    shots(page, "explains")
    before = len(demo.letters())
    page.get_by_role("button", name="Mail me a code").focus()
    page.keyboard.press("Enter")
    code = code_for(demo, email, before)
    page.get_by_label("Code", exact=True).fill("AAAA-AAAA")
    page.keyboard.press("Enter")
    page.get_by_text("The confirmation failed").wait_for()
    shots(page, "wrong")
    page.get_by_label("Code", exact=True).fill(code.lower())
    page.keyboard.press("Enter")
    page.wait_for_url(demo.url + "/login")
    page.get_by_text("Everyone is signed out, you too.").wait_for()


def end(page: Page, demo: Demo, *, shots: Take) -> None:
    """The master user's way out, from the banner."""
    banner(page).get_by_role("link", name="End it…").click()
    page.get_by_role("heading", name="End the lockdown").wait_for()
    before = len(demo.letters())
    page.get_by_role("button", name="Mail me a code").click()
    page.get_by_label("Password").fill(demo.users()["master"]["password"])
    page.get_by_label("Code", exact=True).fill(code_for(demo, MASTER, before))
    shots(page, "end")
    page.get_by_role("button", name="End the lockdown").click()
    page.get_by_text("The lockdown is over").wait_for()
    expect(banner(page)).to_be_hidden()


def banner(page: Page) -> Locator:
    """What stands on every page while the home is locked down."""
    return page.locator("#lockdown")


def test_one_button_and_a_code_lock_the_home_down_until_the_master_user_ends_it(
    demo_home: Demo, open_page: Open, shots: Take
) -> None:
    member, master = open_page(role="member", dark=True), open_page(role="master")
    wait_until_live(master)
    expect(banner(master)).to_be_hidden()
    letters = len(demo_home.letters())
    switch(member, "hall/lamp", "on")
    wait_for_look(member, "hall/lamp", "on")
    begin(member, demo_home, MEMBER, shots=shots)
    master.wait_for_url(demo_home.url + "/login?next=%2F")
    letter = read_letter(demo_home, r"The home is locked down", to=MASTER, after=letters)
    assert "Member (through gateway)" in letter
    assert "Everyone is signed out" in letter

    sign_in(member, demo_home, "member")
    sign_in(master, demo_home, "master", next_page="/rooms/hall")
    for page in (member, master):
        wait_until_live(page)
        expect(banner(page)).to_be_visible()
    assert banner(member).get_by_role("link", name="End it…").count() == 0
    shots(member, "locked-down")
    shots(master, "locked-down-room")
    edges, before = demo_home.edges("hall", "front-door"), refusals(demo_home)
    switch(member, "hall/front-door", "unlock")
    message(member).get_by_text(REFUSED).wait_for()
    assert not member.locator("#confirmation").is_visible(), "there is nothing to confirm"
    switch(member, "hall/front-door", "lock")
    message(member).get_by_text("The room confirmed it.").wait_for()
    assert demo_home.edges("hall", "front-door") == edges
    until(lambda: refusals(demo_home) > before, "the refusal waits for its digest")
    switch(member, "hall/lamp", "off")
    wait_for_look(member, "hall/lamp", "off")

    end(master, demo_home, shots=shots)
    expect(banner(member)).to_be_hidden()
    switch(member, "hall/lamp", "on")
    wait_for_look(member, "hall/lamp", "on")
    read_letter(demo_home, r"The lockdown is over", to=MASTER, after=letters)
    master.goto("/history")
    until(lambda: master.reload() and master.get_by_text("The lockdown was ended").count() > 0, "it is recorded")


def test_the_same_without_javascript(demo_home: Demo, open_page: Open, shots: Take) -> None:
    master = open_page("/", role="master", javascript=False)
    begin(master, demo_home, MASTER, shots=shots)
    sign_in(master, demo_home, "master")
    expect(banner(master)).to_be_visible()
    master.goto("/rooms/garage")
    switch(master, "garage/light", "on")
    master.get_by_text(REFUSED).wait_for()
    edges = demo_home.edges("garage", "door")
    switch(master, "garage/door", "press")
    master.get_by_text(REFUSED).wait_for()
    assert demo_home.edges("garage", "door") == edges
    switch(master, "garage/light", "off")
    master.get_by_text("The room confirmed it.").wait_for()
    shots(master, "room")
    end(master, demo_home, shots=shots)
    master.goto("/rooms/garage")
    switch(master, "garage/light", "on")
    master.get_by_text("The room confirmed it.").wait_for()


def test_guests_are_offered_nothing(open_page: Open) -> None:
    guest = open_page("/", role="guest")
    assert guest.locator("#lock-down").count() == 0
    guest.goto("/lockdown")
    guest.get_by_role("heading", name="You may not do this").wait_for()


def test_the_hubs_command_locks_a_running_home_down(demo_home: Demo, open_page: Open) -> None:
    page = open_page("/rooms/kitchen", role="member")
    wait_until_live(page)
    begun = demo_home.command("lockdown", "begin")
    assert begun.returncode == 0, begun.stderr
    assert "is locked down, and everyone is signed out" in begun.stdout
    assert "Every room and gateway that is connected has been told" in begun.stdout
    page.wait_for_url(demo_home.url + "/login?next=%2Frooms%2Fkitchen")
    sign_in(page, demo_home, "member", next_page="/rooms/kitchen")
    wait_until_live(page)
    button(page, "kitchen/lamp", "on").click()
    message(page).get_by_text(REFUSED).wait_for()
    assert card(page, "kitchen/lamp").is_visible()
    ended = demo_home.command("lockdown", "end")
    assert "The lockdown is over." in ended.stdout
    expect(banner(page)).to_be_hidden()
    switch(page, "kitchen/lamp", "on")
    wait_for_look(page, "kitchen/lamp", "on")


def test_codes_of_another_purpose_and_used_ones_are_refused_by_the_whole_home(demo_home: Demo) -> None:
    master, member = demo_home.client("master"), demo_home.client("member")
    user = demo_home.users()["master"]
    credentials = {"email": user["email"], "password": user["password"]}

    def code(email: str, ask: Callable[[], object]) -> str:
        before = len(demo_home.letters())
        ask()
        return code_for(demo_home, email, before)

    sign_in_code = code(MASTER, lambda: master.call("POST", "/api/v1/login/code", credentials))
    refused = master.call("PUT", "/api/v1/lockdown", {"active": True, "code": sign_in_code})
    assert (refused.status, refused.body["type"]) == (403, "/problems/confirmation-failed")
    begin_code = code(MEMBER, lambda: member.call("POST", "/api/v1/lockdown/code"))
    assert master.call("PUT", "/api/v1/lockdown", {"active": True, "code": begin_code}).status == 403
    begun = member.call("PUT", "/api/v1/lockdown", {"active": True, "code": begin_code})
    assert (begun.status, begun.body["active"]) == (200, True)
    assert [client.call("GET", "/api/v1/me").status for client in (master, member)] == [401, 401]

    master, member = demo_home.client("master"), demo_home.client("member")
    assert member.call("POST", "/api/v1/lockdown/code").status == 403
    for used in (begin_code, sign_in_code):
        body = {"active": False, "code": used, "password": user["password"]}
        assert member.call("PUT", "/api/v1/lockdown", body).status == 403
        assert master.call("PUT", "/api/v1/lockdown", body).body["type"] == "/problems/confirmation-failed"
    assert member.act("hall/lamp", "on").body["reason"] == "lockdown"
    end_code = code(MASTER, lambda: master.call("POST", "/api/v1/lockdown/code"))
    wrong = {"active": False, "code": end_code, "password": "not the password"}
    assert master.call("PUT", "/api/v1/lockdown", wrong).status == 403
    right = wrong | {"password": user["password"]}
    assert master.call("PUT", "/api/v1/lockdown", right).body == {"active": False}
    until(lambda: member.act("hall/lamp", "on").status == 200 or None, "the room hears that it ended")
