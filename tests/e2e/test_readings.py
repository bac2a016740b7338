"""Readings on the whole house: recorded as they happen, shown to who may see the device, and missed by nobody else."""

from typing import Any

from tests.demo import Client, Demo
from tests.e2e import actions
from tests.e2e.conftest import Open, Program
from tests.house import until

LAMP = "/api/v1/readings/hall/lamp"


def on_seconds(client: Client) -> float:
    """For how long the hall's lamp was on today, as far as it is told."""
    return float(sum(point["on"] for point in client.call("GET", LAMP).body["points"]))


def test_a_lamp_that_is_switched_on_is_in_its_chart(program: Program, open_page: Open) -> None:
    member = program("member")
    assert member.act("hall/lamp", "on").status == 200
    until(lambda: on_seconds(member) > 0, "the recorder knows that the lamp is on")
    said: Any = member.call("GET", f"{LAMP}?step=70").body
    assert (said["room"], said["device"], said["kind"], said["unit"], said["step"]) == (
        "hall",
        "lamp",
        "switch",
        "s",
        70,
    )
    page = open_page("/rooms/hall", role="member", javascript=False)
    actions.card(page, "hall/lamp").get_by_role("link", name="Chart of Lamp").click()
    page.get_by_role("heading", name="Lamp").wait_for()
    for span in ("Week", "Month", "Year", "Day"):
        page.get_by_role("link", name=span, exact=True).click()
        page.locator(".chart.slim").wait_for()
        assert page.get_by_role("link", name=span, exact=True).get_attribute("aria-current") == "page"
    page.get_by_role("link", name="The day before").click()
    page.get_by_text("Nothing is known of this day.").wait_for()
    page.get_by_role("link", name="Today").click()
    page.get_by_text("In figures").click()
    assert page.get_by_role("table").get_by_role("row").count() > 1
    assert member.act("hall/lamp", "off").status == 200


def test_whoever_may_not_see_a_device_learns_nothing_of_its_readings(program: Program, demo_home: Demo) -> None:
    guest, master, nobody = program("guest"), program("master"), demo_home.client()
    assert guest.call("GET", LAMP).status == 200
    assert guest.call("GET", "/api/v1/readings/kitchen/blind").status == 404
    assert guest.call("GET", "/readings/kitchen/blind").status == 404
    assert master.call("GET", "/api/v1/readings/kitchen/blind").status == 200
    assert nobody.call("GET", LAMP).status == 401
    assert master.call("GET", "/api/v1/readings/hall/nothing").status == 404


def test_what_cannot_be_answered_is_refused_with_what_could(program: Program) -> None:
    master = program("master")
    for query, word in (
        ("step=0", "whole number"),
        ("step=NaN", "whole number"),
        ("since=2026-13-01", "2026-11-23"),
        ("since=2026-02-02&until=2026-02-01", "ends before it begins"),
        ("since=2001-01-01&until=2026-01-01&step=1", "step="),
        ("steps=5", "there are since, until, step"),
        ("step=5&step=6", "twice"),
    ):
        refused = master.call("GET", f"{LAMP}?{query}")
        assert refused.status == 400, query
        assert word in refused.body["detail"], refused.body
    assert "no readings are kept" in master.call("GET", "/api/v1/readings/hall/door-contact").body["detail"]
    assert master.call("GET", "/readings/hall/lamp?span=decade").status == 400
    assert master.call("GET", "/readings/hall/lamp?at=tomorrow").status == 400


def test_without_its_recorder_the_home_goes_on_and_the_page_says_so(
    program: Program, demo_home: Demo, open_page: Open
) -> None:
    member = program("member")
    demo_home.supervise("stop", "readings")
    try:
        assert member.call("GET", LAMP).status == 503
        assert member.act("hall/lamp", "on").status == 200
        page = open_page("/readings/hall/lamp", role="member")
        page.get_by_text("The chart cannot be shown just now.").wait_for()
    finally:
        demo_home.supervise("start", "readings")
    # The room says afterwards since when the lamp has been on.
    until(lambda: member.call("GET", LAMP).status == 200, "the recorder answers again")
    until(lambda: on_seconds(member) > 0, "the recorder knows of the lamp")
    assert member.act("hall/lamp", "off").status == 200
