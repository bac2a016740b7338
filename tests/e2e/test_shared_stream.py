"""The parts of the shared stream, each by itself in a real browser: what pages need, and what a newcomer is told."""

from typing import Any

from playwright.sync_api import Page

from gateway.pages.static_files import StaticFiles
from tests.e2e.conftest import Open

ALL = {"rooms": None, "audit": False}
HALL = {"rooms": ["hall"], "audit": False}
GARAGE = {"rooms": ["garage"], "audit": False}
RECORD = {"rooms": [], "audit": True}


def in_browser(page: Page, name: str, expression: str, cases: Any) -> Any:
    """What one of the pages' modules makes of the cases."""
    return page.evaluate(
        f"async ([address, cases]) => {{ const it = await import(address); return {expression}; }}",
        [StaticFiles().url(name), cases],
    )


def test_one_stream_is_asked_for_what_all_pages_need(open_page: Open) -> None:
    page = open_page("/login")
    cases = [[ALL], [HALL], [RECORD], [HALL, RECORD], [HALL, GARAGE, HALL], [ALL, HALL, RECORD]]
    assert in_browser(page, "needs.js", "cases.map((needs) => it.address(it.union(needs)))", cases) == [
        "/api/v1/events",
        "/api/v1/events?rooms=hall",
        "/api/v1/events?rooms=&audit",
        "/api/v1/events?rooms=hall&audit",
        "/api/v1/events?rooms=garage,hall",
        "/api/v1/events?audit",
    ]
    pairs = [[one, other] for one in (ALL, HALL, GARAGE, RECORD) for other in (ALL, HALL, GARAGE, RECORD)]
    covered = in_browser(page, "needs.js", "cases.filter(([one, other]) => it.covers(one, other))", pairs)
    assert covered == [[ALL, ALL], [ALL, HALL], [ALL, GARAGE], [HALL, HALL], [GARAGE, GARAGE], [RECORD, RECORD]]


def test_a_newcomer_is_told_what_is_true_and_nothing_that_was(open_page: Open) -> None:
    page = open_page("/login")

    def state(room: str, device: str, value: str) -> list[Any]:
        return ["state", {"room": room, "device": device, "state": {"value": value}}]

    def status(room: str, now: str) -> list[Any]:
        return ["availability", {"room": room, "status": now}]

    said = [
        *([name, {"now": "2026-11-23T20:04:00.250Z"}] for name in ("hello", "heartbeat")),
        ["lockdown", {"active": False}],
        *(["description", {"room": room, "devices": []}] for room in ("hall", "garage")),
        *(status(room, "online") for room in ("hall", "garage")),
        *(state(room, "lamp", "off") for room in ("hall", "garage")),
        ["ready", {}],
        ["audit", {"row": 7}],
        ["command", {"id": "1", "room": "hall", "device": "lamp", "outcome": "executed"}],
        state("hall", "lamp", "on"),
        ["lockdown", {"active": True}],
        ["audit", {"row": 8}],
        status("garage", "offline"),
    ]
    told = in_browser(
        page,
        "leading.js",
        "(() => { const picture = new it.Picture(); cases.forEach((one) => picture.take(...one));"
        " return picture.events().map(({ name, data }) => [name, data]); })()",
        said,
    )
    assert told[0] == ["hello", {}]
    assert told[-1] == ["ready", {}]
    assert sorted(map(str, told[1:-1])) == sorted(
        map(
            str,
            [
                *(["description", {"room": room, "devices": []}] for room in ("hall", "garage")),
                status("hall", "online"),
                status("garage", "offline"),
                state("hall", "lamp", "on"),
                ["lockdown", {"active": True}],
                ["audit", {"row": 8}],
            ],
        )
    )
    names = [(name, data.get("room")) for name, data in told]
    assert names.index(("availability", "hall")) < names.index(("state", "hall")), "a status makes all states unknown"
