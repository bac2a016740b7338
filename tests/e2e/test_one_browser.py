"""Many pages of one browser share one stream, and what was pressed while nothing could leave never happens later."""

import json
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Request, expect

from gateway.pages.static_files import StaticFiles
from tests.demo import Demo
from tests.e2e.actions import (
    WAIT,
    card,
    look,
    message,
    record,
    recorded,
    switch,
    wait_for_look,
    wait_until_live,
    word,
)
from tests.e2e.conftest import CHROMIUM, Open

PAGES = 7
CONNECTIONS = 6
"""What a browser opens to one server over HTTP/1.1."""
HOLD = """(count) => {
    window.held = Array.from({ length: count }, () => new AbortController());
    window.open = window.held.map(async (it) => {
        const response = await fetch("/api/v1/events", { signal: it.signal });
        await response.body.getReader().read();
        return response.status;
    });
}"""
HIDE = """([hidden]) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def chromium() -> str:
    """The whole one, whose tabs share connections, locks and streams."""
    return CHROMIUM


def sisters(page: Page, count: int, path: str = "/") -> list[Page]:
    """More pages of the same browser, one after the other."""
    made = []
    for _ in range(count):
        page = page.context.new_page()
        page.goto(path)
        wait_until_live(page)
        made.append(page)
    return made


def streams(page: Page) -> list[str]:
    """From now on, the streams that this page's browser asks for, and "time" where it asks for the hub's time."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/v1/events" in request.url:
            asked.append(request.url.partition("/api/v1/events")[2])
        elif request.url.endswith("/api/v1/time"):
            asked.append("time")

    page.context.on("request", note)
    return asked


def off(page: Page, demo: Demo) -> list[int]:
    """The lamp in the hall goes off; its edges so far."""
    switch(page, "hall/lamp", "off")
    message(page).get_by_text("Lamp in Hall: switched off").wait_for()
    wait_for_look(page, "hall/lamp", "off")
    return demo.edges("hall", "lamp")


def test_seven_pages_and_a_press_in_one_is_one_edge_and_seen_in_all(demo_home: Demo, open_page: Open) -> None:
    page = open_page(None, role="member")
    asked = streams(page)
    page.goto("/")
    wait_until_live(page)
    pages = [page, *sisters(page, PAGES - 1)]
    assert asked == [""], "one stream serves them all"
    edges = off(pages[0], demo_home)
    switch(pages[3], "hall/lamp", "on")
    for one in pages:
        wait_for_look(one, "hall/lamp", "on")
    assert demo_home.edges("hall", "lamp") == [*edges, 1]
    assert "The room confirmed it." in message(pages[3]).inner_text()
    assert asked == [""], "it also tells them the time"
    pages[-1].get_by_role("link", name="Account").click()
    pages[-1].get_by_role("heading", level=1).wait_for()

    # The one that reads for all of them goes: another takes its place, and nobody misses anything.
    with page.context.expect_event("request", lambda request: "/api/v1/events" in request.url):
        pages[0].close()
    off(pages[1], demo_home)
    for one in pages[2:-1]:
        wait_for_look(one, "hall/lamp", "off")


def test_the_stream_that_is_shared_tells_each_page_what_it_needs(demo_home: Demo, open_page: Open) -> None:
    page = open_page(None, role="member")
    asked = streams(page)
    page.goto("/rooms/hall")
    wait_until_live(page)
    edges = off(page, demo_home)
    history = sisters(page, 1, "/history")[0]
    kitchen = sisters(page, 1, "/rooms/kitchen")[0]
    assert asked == ["?rooms=hall", "?rooms=hall&audit", "?rooms=hall,kitchen&audit"]
    expect(history.locator("#record .line").first).to_contain_text("Hall", timeout=WAIT)
    switch(kitchen, "kitchen/lamp", "on")
    wait_for_look(kitchen, "kitchen/lamp", "on")
    expect(history.locator("#record .line").first).to_contain_text("Kitchen", timeout=WAIT)
    switch(kitchen, "kitchen/lamp", "off")
    wait_for_look(kitchen, "kitchen/lamp", "off")
    assert (look(page, "hall/lamp"), demo_home.edges("hall", "lamp")) == ("off", edges)


def test_a_press_that_could_not_leave_in_time_never_happens(demo_home: Demo, open_page: Open) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    edges = off(page, demo_home)
    page.evaluate(HOLD, CONNECTIONS - 1)
    assert page.evaluate("Promise.all(window.open)") == [200] * (CONNECTIONS - 1)
    posted: list[Request] = []
    page.on("requestfinished", lambda request: posted.append(request) if request.method == "POST" else None)
    for action in ("on", "off"):  # safe ones are taken back as well
        switch(page, "hall/lamp", action)
    expect(page.locator(".told.unsure")).to_contain_text(["It is not known what happened"] * 2, timeout=WAIT)
    expect(page.locator(".told", has_text="othing")).to_have_count(0)
    page.evaluate("window.held[0].abort()")
    # What waited behind the six would go first.
    assert page.evaluate("fetch('/api/v1/me').then((it) => it.status)") == 200
    assert (posted, demo_home.edges("hall", "lamp")) == ([], edges)
    switch(page, "hall/lamp", "on")
    wait_for_look(page, "hall/lamp", "on")
    assert demo_home.edges("hall", "lamp") == [*edges, 1]


def test_what_is_not_known_is_told_once_the_stream_says_it(demo_home: Demo, open_page: Open) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    edges = off(page, demo_home)

    page.evaluate(
        """() => {
            const real = window.fetch;
            window.fetch = async (address, options) => {
                const response = await real(address, options);
                if (options?.method === "POST") throw new TypeError("the answer is lost");
                return response;
            };
            window.said = [];
            const said = (one) => window.said.push(one.textContent);
            const note = (changes) => changes.forEach((it) => it.addedNodes.forEach(said));
            new MutationObserver(note).observe(document.getElementById("messages"), { childList: true });
        }"""
    )
    switch(page, "hall/lamp", "on")
    message(page).get_by_text("Lamp in Hall: switched on").wait_for()
    assert demo_home.edges("hall", "lamp") == [*edges, 1]
    assert "It is not known what happened" in page.evaluate("window.said")[0]
    expect(page.locator(".told.unsure")).to_have_count(0)


def test_a_wish_names_the_moment_of_the_last_press(open_page: Open) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    page.route("**/commands", lambda route: route.abort())
    switch(page, "hall/front-door", "unlock")
    page.get_by_role("dialog").wait_for()
    told = "async (address) => { const it = await import(address); return it.atTheHub(it.moment()); }"
    asked = datetime.fromisoformat(page.evaluate(told, StaticFiles().url("hub_time.js")))
    with page.expect_request("**/commands") as sent:
        page.get_by_role("dialog").get_by_role("button", name="Unlock Front door").click()
    pressed = datetime.fromisoformat(json.loads(sent.value.post_data or "")["pressed_at"])
    assert asked <= pressed <= datetime.now(UTC), "the dialog's yes, and not the button before it"
    message(page).get_by_text("It is not known what happened").wait_for()


def test_what_cannot_name_its_moment_is_not_sent(demo_home: Demo, open_page: Open) -> None:
    page = open_page(None, role="member")
    for path in ("events", "time"):
        page.route(f"**/api/v1/{path}", lambda route: route.abort())
    posted: list[Request] = []
    page.on("request", lambda request: posted.append(request) if request.method == "POST" else None)
    page.goto("/")
    page.locator("body[data-link=lost]").wait_for()
    edges = demo_home.edges("hall", "lamp")
    switch(page, "hall/lamp", "on" if not edges or edges[-1] == 0 else "off")
    message(page).get_by_text("The hub cannot be reached").wait_for()
    assert (posted, demo_home.edges("hall", "lamp")) == ([], edges)
    page.unroute("**/api/v1/time")
    switch(page, "hall/lamp", "on")
    message(page).get_by_text("Lamp in Hall: switched on").wait_for()
    assert demo_home.edges("hall", "lamp")[-1] == 1
    assert "pressed_at" in (posted[0].post_data or "")


def test_the_hubs_time_is_taken_from_what_took_least_and_from_nothing_before_a_sleep(open_page: Open) -> None:
    page = open_page("/login")
    told = page.evaluate(
        """async (address) => {
            const time = await import(address);
            let clock = 1_000, wall = 5_000_000; // the wall clock is years off
            performance.now = () => clock;
            Date.now = () => wall;
            const pass = (milliseconds) => { clock += milliseconds; wall += milliseconds; };
            const hub = (after) => new Date(1_800_000_000_000 + after).toISOString();
            const known = [time.atTheHub(time.moment())];
            const press = time.moment();
            pass(1_000), time.heard(hub(700));        // 300 ms on its way
            known.push(time.atTheHub(press));
            pass(10_000), time.heard(hub(10_990));    // 10 ms
            pass(10_000), time.heard(hub(17_000));    // 4 s
            known.push(time.atTheHub(time.moment()), time.atTheHub(time.moment({ timeStamp: clock - 2_000 })));
            wall += 60_000;                           // a sleep in which one clock stood still
            known.push(time.atTheHub(time.moment()));
            time.heard(hub(81_000));
            known.push(time.atTheHub(time.moment()), time.atTheHub(press));
            pass(26_000);                             // and nothing for longer than a stream may be silent
            known.push(time.atTheHub(time.moment()));
            return known.map((it) => it && Date.parse(it) - 1_800_000_000_000);
        }""",
        StaticFiles().url("hub_time.js"),
    )
    assert told == [None, -300, 20_990, 18_990, None, 81_000, None, None]


def test_a_leader_that_is_frozen_loses_the_stream_to_a_page_that_is_not(open_page: Open) -> None:
    page = open_page("/account", role="member")
    who = page.evaluate("document.body.dataset.viewer")
    frozen = """(name) => new Promise((held) => navigator.locks.request(name, () => {
        held();
        return new Promise(() => {});
    }).catch((error) => { window.lost = error.name; }))"""
    page.evaluate(frozen, f"home-events-2 {who}")
    other = page.context.new_page()
    other.clock.install()
    other.goto("/")
    other.get_by_text("Connecting…").wait_for()
    assert other.evaluate("navigator.locks.query().then((it) => it.pending.length)") == 1
    other.clock.run_for(28_000)
    wait_until_live(other)
    assert look(other, "hall/lamp") in ("on", "off")
    assert page.evaluate("window.lost") == "AbortError"
    say = "([name, term]) => new BroadcastChannel(name).postMessage({ kind: 'lost', from: 'a former one', term })"
    page.evaluate(say, [f"home-events-2 {who}", 1])
    third = sisters(other, 1)[0]  # what was said before it came has arrived by then
    for one in (other, third):
        assert one.locator("body").get_attribute("data-link") == "live", "what it says after it thawed counts no more"
    page.evaluate(say, [f"home-events-2 {who}", 2**53 - 1])
    third.locator("body[data-link=lost]").wait_for()


def test_a_page_that_slept_comes_back_with_what_is_true_now(demo_home: Demo, open_page: Open) -> None:
    page = open_page(None, role="member")
    page.clock.install()
    page.goto("/")
    wait_until_live(page)
    edges = off(page, demo_home)
    page.evaluate(HIDE, [True])
    page.clock.run_for(61_000)
    page.locator("body[data-link=lost]").wait_for(state="attached")
    assert word(page, "hall/lamp") == "Unknown"
    level = card(page, "kitchen/lamp").locator("input[name=value]")
    assert (level.get_attribute("type"), level.input_value()) == ("number", "")
    there = open_page(role="member")
    wait_until_live(there)
    switch(there, "hall/lamp", "on")
    wait_for_look(there, "hall/lamp", "on")
    assert look(page, "hall/lamp") == "unknown"
    page.evaluate(HIDE, [False])
    wait_until_live(page)
    assert look(page, "hall/lamp") == "on"
    assert level.get_attribute("type") == "range"
    switch(page, "hall/lamp", "off")
    wait_for_look(page, "hall/lamp", "off")
    assert demo_home.edges("hall", "lamp") == [*edges, 1, 0]


def test_a_machine_that_slept_under_an_open_page_hears_everything_anew(open_page: Open) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    record(page)
    with page.expect_request("**/api/v1/events"):
        page.evaluate("(() => { const now = Date.now; Date.now = () => now() + 60_000; })()")
    recorded(page, lambda moment: moment["link"] == "lost", "what it knew is not shown any more")
    wait_until_live(page)
    assert look(page, "hall/lamp") in ("on", "off")


def test_without_locks_or_channels_a_page_streams_while_it_is_looked_at(demo_home: Demo, open_page: Open) -> None:
    for missing in ("delete Navigator.prototype.locks", "delete window.BroadcastChannel"):
        page = open_page(None, role="member")
        page.context.add_init_script(missing)
        page.goto("/")
        wait_until_live(page)
        off(page, demo_home)
        page.evaluate(HIDE, [True])
        page.locator("body[data-link=lost]").wait_for(state="attached")
        page.evaluate(HIDE, [False])
        wait_until_live(page)
        assert look(page, "hall/lamp") == "off"


def test_a_page_shown_long_ago_is_shown_anew_instead_of_sent(demo_home: Demo, open_page: Open) -> None:
    page = open_page("/rooms/hall", role="member", javascript=False)
    switch(page, "hall/lamp", "off")
    edges = demo_home.edges("hall", "lamp")
    page.locator("input[name=shown_at]").evaluate_all(
        "all => all.forEach((it) => { it.value = '2020-01-01T00:00:00Z'; })"
    )
    switch(page, "hall/lamp", "on")
    page.get_by_text("Lamp in Hall: nothing was sent").wait_for()
    assert demo_home.edges("hall", "lamp") == edges
    switch(page, "hall/lamp", "on")
    assert "The room confirmed it." in " ".join(card(page, "hall/lamp").inner_text().split())
