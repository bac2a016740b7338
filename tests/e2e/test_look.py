"""How the pages look and sound: small and large, light and dark, by keyboard, and in the same words on both sides."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest
from playwright.sync_api import Page, expect

from device_agents.pins import simulation
from gateway.pages import overview, speaking, states, times
from gateway.pages.static_files import StaticFiles
from gateway.picture import looks
from gateway.picture.sums import Count, sum_of
from gateway.picture.views import RoomView, Status
from shared.words.languages import LANGUAGES, tongue
from shared.words.messages import By, CoverValue, State, Value
from shared.words.names import Action, Kind
from tests.demo import Demo
from tests.e2e.actions import WAIT, wait_until_live
from tests.e2e.conftest import Open

Take = Callable[[Page, str], None]
PATHS = (
    "/",
    "/rooms/hall",
    "/history",
    "/history?room=hall&outcome=executed&since=nonsense",
    "/account",
    "/account/password",
    "/account/email",
    "/account/factors",
    "/account/tokens",
    "/users",
    "/arrange",
    "/arrange/hall",
    "/house/arrange/hall",
    "/house/names/hall/lamp",
    "/house",
    "/waiting",
    "/authority",
    "/join/phone",
    "/readings/hall/lamp",
    "/problems/unknown",
    "/nowhere",
)
NOW = datetime(2026, 11, 23, 20, 4, 30, tzinfo=UTC)
VALUES: tuple[Value, ...] = (
    *("on", "off", "locked", "unlocked", "jammed", "open", "closed", "motion", "clear", "", "toString", "<b>"),
    *(None, 0, 1, 40, 100, 101, -1, 21.37, 1.5, 45.0),
    *(CoverValue(position=p, moving=m) for p in (None, 0, 40, 100, 101) for m in (None, "opening", "closing")),
)
DEVICES_OF_A_ROOM: tuple[tuple[str, ...], ...] = (
    (),
    ("on",),
    ("on", "on"),
    ("off",),
    ("nonsense",),
    ("on", "off", "nonsense"),
    ("on!mismatch", "on", "off!sensor", "off!smoke"),
    ("on!mismatch", "off!mismatch", "on!sensor", "on!sensor", "on!smoke", "on!smoke"),
)


OVERLAPS = """() => {
    const parts = [...document.querySelectorAll(".brand, .tabs a, .live, .quiet")];
    const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
    const boxes = parts.map((it) => [it.textContent.trim(), it.getBoundingClientRect()]);
    const hit = ([a, one], at) => boxes.slice(at + 1).filter(([, two]) => !apart(one, two)).map(([b]) => [a, b]);
    return boxes.flatMap(hit);
}"""


@pytest.mark.parametrize(
    ("size", "dark"), [((360, 740), False), ((820, 1180), True), ((1024, 800), False), ((1440, 900), True)]
)
def test_no_page_is_wider_than_its_screen(open_page: Open, shots: Take, size: tuple[int, int], dark: bool) -> None:
    page = open_page(None, role="master", dark=dark, size=size)
    for path in PATHS:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
        assert page.evaluate(OVERLAPS) == [], path
        shots(page, path.strip("/").replace("/", "-") or "home")


def test_text_of_twice_the_size_needs_no_scrolling_sideways(open_page: Open, shots: Take) -> None:
    page = open_page(None, role="master")
    for path in PATHS:
        page.goto(path)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{path} is {width} wide"
        shots(page, f"large{path.partition('?')[0].replace('/', '-')}")


def test_the_night_is_dark(open_page: Open, shots: Take) -> None:
    page = open_page(role="master", dark=True)
    wait_until_live(page)
    shots(page, "dark")
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert sum(int(part) for part in background.removeprefix("rgb(").removesuffix(")").split(",")) < 3 * 64


@pytest.mark.parametrize("status", ["offline", "unknown"])
def test_no_button_of_a_room_that_is_away_looks_chosen(open_page: Open, shots: Take, status: str) -> None:
    page = open_page(role="master")
    wait_until_live(page)
    page.evaluate("(now) => document.querySelectorAll('.room').forEach((it) => { it.dataset.status = now; })", status)
    shots(page, status)
    looks = page.evaluate(
        """async () => {
            const buttons = [...document.querySelectorAll(".device button.command")];
            await Promise.all(document.getAnimations().map((it) => it.finished));
            const styles = buttons.map((it) => getComputedStyle(it));
            return styles.map((it) => [it.backgroundColor, it.borderStyle, it.borderColor, it.color].join(" "));
        }"""
    )
    assert len(looks) > 5
    assert len(set(looks)) == 1


def test_everything_to_touch_is_large_enough(open_page: Open) -> None:
    page = open_page(role="master")
    wait_until_live(page)
    small = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input:not([type=hidden])")]
            .filter((it) => it.checkVisibility() && !it.matches(".skip"))
            .map((it) => [it.outerHTML.slice(0, 80), it.getBoundingClientRect()])
            .filter(([, box]) => box.height < 40 || box.width < 40)
            .map(([text, box]) => `${text} ${box.width}x${box.height}`)"""
    )
    assert small == []


def test_the_home_can_be_used_by_keyboard_alone(open_page: Open) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    region = page.get_by_role("region", name="Hall", exact=True)
    region.get_by_role("button", name="Switch Lamp off").focus()
    page.keyboard.press("Space")
    region.locator(".told").get_by_text("The room confirmed it.").wait_for()


def test_every_page_has_one_heading_its_landmarks_and_named_controls(open_page: Open) -> None:
    page = open_page(None, role="master")
    for path in PATHS:
        page.goto(path)
        assert page.locator("h1").count() == 1, path
        assert page.get_by_role("main").count() == 1
        assert page.get_by_role("navigation", name="Pages").count() == 1
        nameless = page.evaluate(
            """() => [...document.querySelectorAll("button, a, input:not([type=hidden])")]
                .filter((it) => it.checkVisibility() && !(it.ariaLabel || it.textContent.trim() || it.labels?.length))
                .map((it) => it.outerHTML)"""
        )
        assert nameless == []


@pytest.fixture(params=LANGUAGES)
def locale(request: pytest.FixtureRequest) -> Iterator[str]:
    """A language in which hub and browser speak."""
    speaking.speak(tongue(request.param))
    yield request.param
    speaking.speak(tongue())


def test_the_browser_and_the_hub_use_the_same_words_for_a_state(open_page: Open, locale: str) -> None:
    page = open_page("/login", locale=locale)
    cases: list[tuple[str, Status, State | None]] = [
        (kind, status, None) for kind in Kind for status in get_args(Status)
    ]
    for source, issuer in (("command", "gateway"), ("command", "phone"), ("input", None), ("boot", None)):
        by = msgspec.convert({"source": source, "issuer": issuer}, By)
        cases += [(kind, "online", State(value=value, since=NOW, by=by)) for kind in Kind for value in VALUES]
    for source in ("timer", "failsafe"):
        by = msgspec.convert({"source": source}, By)
        cases += [(kind, "online", State(value="on", since=NOW, by=by)) for kind in Kind]
    for fault in ("mismatch", "sensor", "smoke", "toString", ""):
        by = By(source="failsafe")
        faulty = [State(value=value, since=NOW, by=by, fault=fault) for value in VALUES]
        cases += [(kind, "online", state) for kind in Kind for state in faulty]
        cases += [(kind, "offline", faulty[0]) for kind in Kind]
    told = _in_browser(page, "cases.map((it) => words.shown(...it))", cases)
    for case, theirs in zip(cases, told, strict=True):
        ours = states.shown(*case)._asdict()
        ours["at"] = None if ours["at"] is None else NOW.isoformat().replace("+00:00", "Z")
        assert theirs == ours, case


def test_the_button_that_a_device_stands_by_is_pressed_in(open_page: Open) -> None:
    page = open_page("/login")
    cases = [
        (action, look)
        for action in (*Action, "toString")
        for look in ("on", "off", "locked", "unlocked", "jammed", "unknown", "open")
    ]
    assert _in_browser(page, "cases.map((it) => words.isPressed(...it))", cases) == [
        looks.is_pressed(*it) for it in cases
    ]
    page = open_page(role="member")
    wait_until_live(page)
    hall = page.get_by_role("region", name="Hall", exact=True)
    for pressed, other in (("Switch Lamp on", "Switch Lamp off"), ("Switch Lamp off", "Switch Lamp on")):
        hall.get_by_role("button", name=pressed).click()
        expect(hall.get_by_role("button", name=pressed, pressed=True)).to_be_visible(timeout=WAIT)
        expect(hall.get_by_role("button", name=other, pressed=False)).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator(".command[aria-pressed]")).to_have_count(0, timeout=WAIT)


def test_the_browser_and_the_hub_tell_the_same_time(open_page: Open, locale: str) -> None:
    page = open_page("/login", locale=locale)
    moments = [NOW - timedelta(minutes=step * 411) for step in range(60)] + [NOW + timedelta(days=1)]
    moments += [NOW - timedelta(days=400), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]
    now = json.dumps(NOW.isoformat())
    for zone in ("Europe/Berlin", "America/St_Johns", "Pacific/Auckland", "UTC"):
        expression = f"cases.map((it) => words.clock(new Date(it), {json.dumps(zone)}, new Date({now})))"
        local = NOW.astimezone(ZoneInfo(zone))
        assert _in_browser(page, expression, moments) == [times.clock(moment, local) for moment in moments]
        today = f"cases.map((it) => words.today({json.dumps(zone)}, new Date(it)))"
        assert _in_browser(page, today, moments) == [times.today(it.astimezone(ZoneInfo(zone))) for it in moments]


def test_the_browser_and_the_hub_write_the_same_headline(open_page: Open, locale: str) -> None:
    page = open_page("/login", locale=locale)
    homes: list[list[tuple[RoomView, list[str]]]] = []
    for status in get_args(Status):
        for values in DEVICES_OF_A_ROOM:
            homes.append([_room("Hall", "online", ("off",)), _room("Attic", status, values)])
            homes.append([_room("Attic", status, values), _room("Cellar", status, ("on",))])
    homes.append([])
    theirs = [[_drawn(room, looks) for room, looks in home] for home in homes]
    told = _in_browser(page, "cases.map((it) => words.headline(it.map(words.summed)))", theirs, module="sums.js")
    assert told == [list(overview.headline(sum_of(room) for room, _ in home)) for home in homes]


def test_the_browser_and_the_hub_say_the_same_of_a_room_in_sums(open_page: Open, locale: str) -> None:
    page = open_page("/login", locale=locale)
    rooms = [sum_of(_room("Attic", status, values)[0]) for status in get_args(Status) for values in DEVICES_OF_A_ROOM]
    rooms += [msgspec.structs.replace(room, barred=Count(count=1, device="Lamp 0")) for room in rooms]
    rooms += [msgspec.structs.replace(room, barred=Count(count=2)) for room in rooms]
    told = _in_browser(page, "cases.map((it) => words.tile(it))", rooms, module="sums.js")
    for room, theirs in zip(rooms, told, strict=True):
        ours = overview.tile(room)
        assert theirs == {"facts": [list(fact) for fact in ours.facts], "rest": ours.rest, "rank": ours.rank}, room


def _drawn(room: RoomView, looks: list[str]) -> dict[str, Any]:
    """A room as the page has it."""
    devices = [{"name": d.name, "look": look} for d, look in zip(room.devices, looks, strict=True)]
    return {"name": room.name, "status": room.status, "devices": devices}


def _room(name: str, status: Status, values: tuple[str, ...]) -> tuple[RoomView, list[str]]:
    devices: list[dict[str, Any]] = [
        {
            "room": name.lower(), "id": f"d{number}", "name": f"Lamp {number}", "kind": "switch", "critical": False,
            "confirm": False, "confirm_by": "none", "actions": [], "safe_actions": [],
            "available": status == "online", "status": status, "icon": "power",
            "state": _state(value) if status == "online" else None,
        }
        for number, value in enumerate(values)
    ]  # fmt: skip
    room = msgspec.convert({"id": name.lower(), "name": name, "status": status, "devices": devices}, RoomView)
    return room, [states.shown(d.kind, d.status, d.state).look for d in room.devices]


def _state(said: str) -> dict[str, Any]:
    """A state from its value and, behind a mark, its fault: "on!mismatch"."""
    value, _, fault = said.partition("!")
    return {"value": value, "since": NOW, "by": {"source": "boot"}, "fault": fault or None}


def _in_browser(page: Page, expression: str, cases: Any, *, module: str = "wording.js") -> Any:
    """What the pages' own module, as `words`, makes of the cases."""
    return page.evaluate(
        "async ([address, text]) => { const words = await import(address); const cases = JSON.parse(text);"
        f" return {expression}; }}",
        [StaticFiles().url(module), msgspec.json.encode(cases).decode()],
    )


def test_a_press_appears_under_the_headline_of_an_open_home(demo_home: Demo, open_page: Open) -> None:
    page = open_page("/", role="member")
    wait_until_live(page)
    line = page.locator("#lately")
    before = line.get_attribute("data-pressed-at") if line.count() else None
    simulation.drive(demo_home.var / "sim", "hall", "doorbell", "press")
    page.wait_for_function(
        "before => { const at = document.getElementById('lately')?.dataset.pressedAt; return at && at !== before; }",
        arg=before,
        timeout=WAIT,
    )
    expect(line).to_contain_text(re.compile(r"^Doorbell \d\d:\d\d"))
    expect(line).to_be_visible()
