"""Locking a device out in a real browser at phone size, with and without JavaScript; also in a home that was older."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from shared.words import topics
from tests.demo import Demo
from tests.e2e.actions import card, message, read_letter, switch, wait_for_look, wait_until_live
from tests.e2e.conftest import Open, Program
from tests.house import DEADLINE, until

MASTER = "master@home.example"
SENTENCE = "Only off works until the master user lifts the lock-out."
Take = Callable[[Page, str], None]


@pytest.fixture(autouse=True)
def lifted_in_the_end(program: Program) -> Iterator[None]:
    """The home is left as it was found."""
    yield
    master = program("master")
    master.call("PUT", "/api/v1/devices/hall/lamp/lockout", {"locked_out": False})


def lock_out(page: Page) -> None:
    """The master user's form on the hall's page, by keyboard."""
    summary = card(page, "hall/lamp").locator(".more > summary")
    summary.focus()
    page.keyboard.press("Enter")
    card(page, "hall/lamp").get_by_role("button", name="Lock Lamp out").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Lamp in Hall: locked out").wait_for()


def lift(page: Page, *, shots: Take | None = None) -> None:
    """The way back, which asks."""
    card(page, "hall/lamp").get_by_role("link", name="Lift the lock-out of Lamp").click()
    page.get_by_role("heading", name="Lift the lock-out of Lamp?").wait_for()
    if shots is not None:
        shots(page, "asks")
    page.get_by_role("button", name="Lift the lock-out").click()
    page.get_by_text("Lamp in Hall: lock-out lifted").wait_for()


def mark(page: Page) -> None:
    """Wait for the mark on the lamp's card."""
    card(page, "hall/lamp").locator(".mark", has_text="Locked out").wait_for()


def no_mark(page: Page) -> None:
    """Wait until it is gone."""
    expect(card(page, "hall/lamp").locator(".mark")).to_have_count(0)


def test_the_master_user_locks_the_lamp_out_and_every_open_page_shows_it(
    demo_home: Demo, open_page: Open, shots: Take
) -> None:
    master, member = open_page("/rooms/hall", role="master", dark=True), open_page(role="member")
    wait_until_live(master)
    wait_until_live(member)
    letters = len(demo_home.letters())
    switch(member, "hall/lamp", "on")
    wait_for_look(member, "hall/lamp", "on")

    lock_out(master)
    mark(master)
    mark(member)
    shots(master, "master")
    letter = read_letter(demo_home, r"Lamp \(Hall\) locked out", to=MASTER, after=letters)
    assert "Master (through gateway)" in letter
    switch(member, "hall/lamp", "off")
    wait_for_look(member, "hall/lamp", "off")
    edges = demo_home.edges("hall", "lamp")
    switch(member, "hall/lamp", "on")
    message(member).get_by_text(SENTENCE).wait_for()
    shots(member, "member")
    assert demo_home.edges("hall", "lamp") == edges
    member.goto("/rooms/hall")
    mark(member)
    assert card(member, "hall/lamp").locator('a[href$="/lockout"], form[action$="/lockout"]').count() == 0

    wait_until_live(member)
    lift(master, shots=shots)
    no_mark(master)
    no_mark(member)
    switch(member, "hall/lamp", "on")
    wait_for_look(member, "hall/lamp", "on")
    read_letter(demo_home, r"Lamp \(Hall\) lock-out lifted", to=MASTER, after=letters)


def test_the_same_without_javascript(demo_home: Demo, open_page: Open, shots: Take) -> None:
    master = open_page("/rooms/hall", role="master", javascript=False)
    member = open_page("/rooms/hall", role="member", javascript=False)
    lock_out(master)
    mark(master)
    edges = demo_home.edges("hall", "lamp")
    switch(member, "hall/lamp", "on")
    member.get_by_text(SENTENCE).wait_for()
    mark(member)
    shots(member, "member")
    assert demo_home.edges("hall", "lamp") == edges
    switch(member, "hall/lamp", "off")
    member.get_by_text("The room confirmed it.").wait_for()
    lift(master)
    no_mark(master)
    switch(member, "hall/lamp", "on")
    member.get_by_text("The room confirmed it.").wait_for()
    no_mark(member)
    master.goto("/history")
    until(lambda: master.reload() and master.get_by_text("Lock-out lifted Lamp, Hall").count() > 0, "it is recorded")


def test_limits_are_behind_a_word_and_large_enough_to_touch(open_page: Open, shots: Take) -> None:
    page = open_page("/rooms/kitchen", role="member")
    wait_until_live(page)
    limits = card(page, "kitchen/kettle").locator(".limits")
    assert not limits.is_visible()
    summary = card(page, "kitchen/kettle").locator("summary")
    box = summary.bounding_box()
    assert box is not None
    assert box["height"] >= 40
    summary.click()
    limits.get_by_text("At most").wait_for()
    shots(page, "limits")


def test_a_home_of_an_older_version_takes_its_new_rights_with_up(tmp_path: Path) -> None:
    house = Demo(tmp_path / "older", warm=True)
    assert house.command("init", "--demo").returncode == 0
    path = house.var / "mosquitto" / "dynamic-security.json"
    document = json.loads(path.read_text())
    for role in document["roles"]:
        role["acls"] = [acl for acl in role["acls"] if acl["topic"] != topics.LOCKOUTS]
    path.write_text(json.dumps(document))
    house.start()
    try:
        master = house.client("master")
        answer = master.call("PUT", "/api/v1/devices/hall/lamp/lockout", {"locked_out": True})
        assert (answer.status, answer.body["lockout_by"]) == (200, "master")
        pki = house.var / "pki"
        files = ["--cafile", f"{pki}/device-ca.crt", "--cert", f"{pki}/hall.crt", "--key", f"{pki}/hall.key"]
        house.supervise("stop", "agent-hall")  # one connection per identity: we listen in its place
        listen = ["mosquitto_sub", "-V", "5", "-h", "localhost", "-p", str(house.ports["MQTT"]), *files]
        heard = subprocess.run(
            [*listen, "-t", topics.LOCKOUTS, "-C", "1"], capture_output=True, text=True, timeout=DEADLINE, check=True
        )
        assert json.loads(heard.stdout)["devices"] == ["hall/lamp"]
    finally:
        house.stop()
