"""A home by keyboard alone: signed in, switched, unlocked, looked after and left, and one always sees where one is."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.demo import Demo
from tests.e2e.actions import WAIT, card, code_for, switch, wait_for_look, wait_until_live
from tests.e2e.conftest import Open, Program

FOCUSED = """() => {
    const it = document.activeElement;
    if (it === document.body || it === null) return null;
    const style = getComputedStyle(it);
    const box = it.getBoundingClientRect();
    const at = (x, y) => document.elementFromPoint(x, y);
    const [left, right] = [Math.max(box.left, 0) + 3, Math.min(box.right, innerWidth) - 3];
    const [top, bottom] = [Math.max(box.top, 0) + 3, Math.min(box.bottom, innerHeight) - 3];
    const points = [[left, top], [right, top], [(left + right) / 2, (top + bottom) / 2], [left, bottom]];
    const over = points.map(([x, y]) => at(x, y)).filter((one) => one && (it.contains(one) || one.contains(it)));
    window.numbers ??= new Map();
    if (!window.numbers.has(it)) window.numbers.set(it, window.numbers.size);
    return {
        number: window.numbers.get(it),
        name: `${it.localName} ${(it.ariaLabel || it.textContent || it.name || it.id).trim().replace(/\\s+/g, " ")}`,
        ring: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        seen: over.length > 0,
        class: it.className,
    };
}"""
"""Where the keyboard is: how wide the ring around it is, and whether any of it is to be seen. None is at none."""
TABBABLE = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
    .filter((it) => it.type !== "hidden")
    .filter((it) => it.checkVisibility({ visibilityProperty: true }) && !it.disabled && it.tabIndex >= 0)
    .filter((it) => it.type !== "radio" || it.checked || !document.querySelector(`[name="${it.name}"]:checked`))
    .length"""
"""How many things the keyboard has to come to. Of radio buttons it comes to the one that is chosen."""


@pytest.fixture
def door(demo_home: Demo, program: Program) -> Iterator[Demo]:
    """The front door is locked before and after."""
    member = program("member")
    assert member.act("hall/front-door", "lock").status == 200
    yield demo_home
    assert member.act("hall/front-door", "lock").status == 200


def test_a_day_at_home_without_a_mouse(door: Demo, open_page: Open) -> None:
    page = open_page("/login")
    user, before = door.users()["member"], len(door.letters())
    assert _tab_to(page, "input email")["ring"] >= 2
    page.keyboard.type(user["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(user["password"])
    page.keyboard.press("Enter")
    page.locator("#code:focus").wait_for()
    page.keyboard.type(code_for(door, user["email"], before))
    page.keyboard.press("Enter")
    page.wait_for_url(door.url + "/")
    wait_until_live(page)

    page.keyboard.press("Tab")
    assert _focused(page)["class"] == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    _tab_to(page, "button Switch Lamp on")
    page.keyboard.press("Space")
    expect(card(page, "hall/lamp").locator(".told")).to_be_visible(timeout=WAIT)
    assert _focused(page)["name"] == "button Switch Lamp on", "it stays where one was"

    _unlock(page)
    _is_told_what_is_wrong(page)

    _tab_to(page, "a History")
    page.keyboard.press("Enter")
    page.wait_for_url("**/history")
    assert page.get_by_role("link", name="History", exact=True).get_attribute("aria-current") == "page"
    _tab_to(page, "button Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/login*")


def _unlock(page: Page) -> None:
    """The question holds the keyboard, and gives it back to where it was asked."""
    asked = "button Unlock Front door"
    _tab_to(page, asked)
    dialog = page.locator("#confirmation")
    for answer in ("Escape", "Enter"):
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        inside = [_step(page) for _ in range(5)]
        assert {one["name"] for one in inside if one is not None} == {"button Cancel", "button Unlock Front door"}
        if answer == "Enter":
            _tab_to(page, "button Unlock Front door")
        page.keyboard.press(answer)
        expect(dialog).to_be_hidden()
        # The button says as well what became of the press.
        assert _focused(page)["name"].startswith(asked)
    wait_for_look(page, "hall/front-door", "unlocked")


@pytest.mark.parametrize("frames", [0, 2], ids=["before it is told", "as it is told"])
def test_a_question_that_is_asked_again_at_once_hears_its_own_answer(door: Demo, open_page: Open, frames: int) -> None:
    """A browser tells that a dialog has closed with its next frame: on a busy phone, after the next press."""
    page = open_page(role="member")
    wait_until_live(page)
    wishes: list[str] = []
    page.on("request", lambda request: wishes.append(request.url) if request.url.endswith("/commands") else None)
    asked = """async ([last, frames]) => {
        const unlock = document.querySelector('article[id="hall.front-door"] button[value=unlock]');
        const dialog = document.getElementById("confirmation");
        const [no, yes] = dialog.querySelectorAll("button");
        for (const answer of [() => no.click(), () => dialog.close(), () => (last === "yes" ? yes : no).click()]) {
            unlock.click();
            for (let frame = 0; frame < frames; frame++) await new Promise(requestAnimationFrame);
            answer();
        }
    }"""
    page.evaluate(asked, ["no", frames])
    switch(page, "hall/lamp", "on")
    wait_for_look(page, "hall/lamp", "on")
    assert [url for url in wishes if "front-door" in url] == [], "nobody said yes"
    page.evaluate(asked, ["yes", frames])
    wait_for_look(page, "hall/front-door", "unlocked")
    switch(page, "hall/lamp", "off")
    wait_for_look(page, "hall/lamp", "off")
    assert len([url for url in wishes if "front-door" in url]) == 1, "one yes is one wish"


def _is_told_what_is_wrong(page: Page) -> None:
    """A form that cannot be comes back with the keyboard in the field, and the field says why."""
    page.goto("/account/profile")
    _tab_to(page, "input name")
    page.keyboard.press("Control+A")
    page.keyboard.type(" ")
    page.keyboard.press("Enter")
    field = page.locator("#name[aria-invalid=true]")
    expect(field).to_be_focused()
    said = field.get_attribute("aria-describedby")
    expect(page.locator(f"#{said}")).to_have_text("Type a name of 1 to 64 characters.")


@pytest.mark.parametrize("size", [(360, 640), (1440, 900)])
def test_the_keyboard_comes_to_everything_and_out_again_and_one_sees_where_it_is(
    open_page: Open, program: Program, size: tuple[int, int]
) -> None:
    users = program("master").call("GET", "/api/v1/users").body["users"]
    guest = next(row["user"]["id"] for row in users if row["user"]["role"] == "guest")
    page = open_page(None, role="master", size=size)
    for path in (
        *("/", "/rooms/kitchen", "/history", "/account", "/account/tokens", "/account/factors", "/users", "/house"),
        *(f"/users/{guest}", f"/users/{guest}/grants", "/users/invite", "/lockdown", "/readings/hall/lamp"),
    ):
        page.goto(path)
        if page.locator("main[data-live]").count():
            wait_until_live(page)
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.locator("body").evaluate("(it) => { getSelection().removeAllRanges(); it.focus(); }")
        expected = page.evaluate(TABBABLE)
        walked: dict[int, Any] = {}
        for _ in range(2 * expected + 10):
            one = _step(page)
            if one is not None:
                walked.setdefault(one["number"], one)
        assert len(walked) >= expected, (path, sorted(one["name"] for one in walked.values()))
        unseen = [one["name"] for one in walked.values() if one["ring"] < 2 or not one["seen"]]
        assert (path, unseen) == (path, [])


def _step(page: Page) -> Any:
    page.keyboard.press("Tab")
    return page.evaluate(FOCUSED)


def _focused(page: Page) -> Any:
    return page.evaluate(FOCUSED)


def _tab_to(page: Page, name: str) -> Any:
    """Press Tab until the keyboard is there, or fail; where it is already, it stays."""
    walked = []
    for _ in range(120):
        one = _focused(page)
        if one is not None and one["name"].startswith(name):
            return one
        walked.append(one and one["name"])
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {name}: {walked}")
