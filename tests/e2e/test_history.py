"""The history in a browser: narrowed by its form with and without scripts, live while it is open, and saved."""

import contextlib
import csv
import json
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.demo import Demo
from tests.e2e.actions import WAIT, wait_until_live
from tests.e2e.conftest import Open
from tests.house import until

Act = Callable[..., int]


def lines(page: Page) -> list[str]:
    return [line.get_attribute("id") or "" for line in page.locator("#record .line").all()]


@pytest.fixture
def act(demo_home: Demo, open_page: Open) -> Act:
    """Switch a lamp off in a browser of the member's own, which is signed in already; the row that it became."""
    hand = open_page("/account", role="member")
    token = hand.evaluate("async () => (await (await fetch('/api/v1/csrf')).json()).csrf_token")
    press = """async ([token, path, body]) => {
        const headers = { "X-CSRF-Token": token, "Content-Type": "application/json" };
        const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
        return await response.json();
    }"""

    def row_of(wish: str) -> int | None:
        record = f"file:{demo_home.var}/data/alerts.sqlite3?mode=ro"
        with contextlib.closing(sqlite3.connect(record, uri=True)) as connection:
            found = connection.execute("SELECT max(row) FROM events WHERE command_id = ?", (wish,)).fetchone()
        return int(found[0]) if found[0] is not None else None

    def acted(device: str = "hall/lamp") -> int:
        wish = uuid.uuid4().hex
        said = hand.evaluate(press, [token, f"/api/v1/devices/{device}/commands", {"action": "off", "id": wish}])
        assert said.get("outcome") == "executed", said
        return until(lambda: row_of(wish), "it is recorded")

    return acted


def test_the_form_narrows_the_history_without_scripts(act: Act, open_page: Open) -> None:
    act()
    act("kitchen/lamp")
    page = open_page("/history", role="master", javascript=False)
    page.get_by_text("Filter and export").click()
    page.get_by_label("Room").select_option("kitchen")
    page.get_by_label("How it ended").select_option("executed")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/history?*room=kitchen*")
    told = page.locator("#record .where").all_inner_texts()
    assert told
    assert all("Kitchen" in one for one in told)
    assert set(page.locator("#record .chip:not(.outline)").all_inner_texts()) == {"done"}
    assert page.get_by_label("Room").input_value() == "kitchen"
    page.get_by_role("link", name="done : leave this out of the filter").click()
    page.wait_for_url("**/history?room=kitchen")
    page.goto("/history?device=hall/no-such-device")
    assert page.get_by_text("Nothing fits this filter.").is_visible()
    page.goto("/history?since=tomorrow")
    assert page.locator("#filter-problem").inner_text().startswith("Write a day such as")


def test_an_open_history_shows_what_is_recorded(act: Act, open_page: Open) -> None:
    act()
    page = open_page("/history", role="member")
    wait_until_live(page)
    page.evaluate("window.same = true")
    page.locator(".stamp summary").first.click()
    opened = lines(page)[0]
    row = act()
    page.locator(f"#row-{row}").wait_for(timeout=WAIT)
    assert page.evaluate("window.same"), "it was not loaded anew"
    assert page.locator(f"#{opened} .stamp[open]").count() == 1
    assert page.evaluate("document.activeElement.closest('.line')?.id") == opened


def test_a_history_that_is_narrowed_stays_so(act: Act, open_page: Open) -> None:
    page = open_page("/history?room=garage", role="member")
    wait_until_live(page)
    before = lines(page)
    with page.expect_response(lambda response: "/history?room=garage" in response.url):
        act()
    assert lines(page) == before


def test_whoever_reads_further_down_is_told_and_not_moved(act: Act, open_page: Open) -> None:
    for _ in range(5):
        row = act()
    page = open_page("/history", role="member", size=(390, 500))
    wait_until_live(page)
    page.locator(f"#row-{row}").wait_for()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    at = page.evaluate("scrollY")
    assert at > 0
    newer = act()
    page.locator("#news").wait_for(timeout=WAIT)
    assert page.evaluate("scrollY") == at
    assert page.locator(f"#row-{newer}").count() == 0
    page.locator("#news").click()
    page.locator(f"#row-{newer}").wait_for()
    assert page.evaluate("scrollY") == 0
    assert page.locator("#news").is_hidden()


def test_a_letters_link_leads_to_its_row(act: Act, open_page: Open) -> None:
    row = act()
    page = open_page(f"/history?row={row}#row-{row}", role="member")
    assert page.locator("#record .line[aria-current]").get_attribute("id") == f"row-{row}"
    page.locator(f"#row-{row}").scroll_into_view_if_needed()
    assert "told by" in page.locator(f"#row-{row} .stamp").inner_text(), "its line is open"


def test_the_history_is_saved_as_a_file(act: Act, open_page: Open, tmp_path: Path) -> None:
    act()
    page = open_page("/history?room=hall", role="member")
    page.get_by_text("Filter and export").click()
    for name in ("CSV", "JSON lines"):
        with page.expect_download() as caught:
            page.get_by_role("link", name=f"Save as {name}").click()
        path = tmp_path / caught.value.suggested_filename
        caught.value.save_as(path)
        text = path.read_text()
        rows = list(csv.DictReader(text.splitlines())) if name == "CSV" else [json.loads(x) for x in text.splitlines()]
        assert {row["where"].partition("/")[0] for row in rows} == {"hall"}
