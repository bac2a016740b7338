"""What is not known is said to be unknown, and pages heal by themselves when a part of the house comes back."""

from tests.demo import Demo
from tests.e2e.actions import (
    look,
    message,
    record,
    recorded,
    switch,
    wait_for_look,
    wait_until_live,
)
from tests.e2e.conftest import Open


def test_a_killed_agent_is_seen_as_offline_and_its_last_state_is_not(demo_home: Demo, open_page: Open) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    switch(page, "garage/light", "on")
    wait_for_look(page, "garage/light", "on")
    record(page)
    former = demo_home.kill("agent-garage")
    moments = recorded(page, lambda moment: moment["looks"]["garage/light"] == "offline", "the garage is offline")
    assert any("Garage is offline." in moment["headline"] for moment in moments)
    assert all(moment["looks"]["hall/lamp"] != "offline" for moment in moments)
    demo_home.reborn("agent-garage", former)
    page.locator('section[data-room="garage"][data-status="online"]').wait_for()
    wait_for_look(page, "garage/light", "on", "off")


def test_a_restarted_gateway_leaves_no_stale_state_and_the_page_heals(demo_home: Demo, open_page: Open) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    switch(page, "hall/lamp", "on")
    wait_for_look(page, "hall/lamp", "on")
    record(page)
    former = demo_home.kill("gateway")
    moments = recorded(page, lambda moment: moment["link"] == "lost", "the page knows that it knows nothing")
    demo_home.reborn("gateway", former)
    wait_until_live(page)
    wait_for_look(page, "hall/lamp", "on")
    moments = recorded(page, lambda moment: moment["looks"]["hall/lamp"] == "on", "the lamp is known again")
    lost = [moment for moment in moments if moment["link"] == "lost"]
    assert lost[0]["headline"] == "Nothing is known just now."
    assert set(lost[0]["looks"].values()) == {"unknown"}
    switch(page, "hall/lamp", "off")
    wait_for_look(page, "hall/lamp", "off")


def test_a_dead_broker_makes_everything_unknown_until_the_rooms_are_heard_again(
    demo_home: Demo, open_page: Open
) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    record(page)
    former = demo_home.kill("broker")
    recorded(page, lambda moment: set(moment["looks"].values()) == {"unknown"}, "everything is unknown")
    demo_home.reborn("broker", former)
    wait_for_look(page, "hall/front-door", "locked", "unlocked")


def test_a_network_that_is_gone_is_said_at_once_and_a_press_is_not_called_done(open_page: Open) -> None:
    page = open_page(role="member")
    wait_until_live(page)
    page.context.set_offline(True)
    page.locator("body[data-link=lost]").wait_for()
    assert look(page, "hall/lamp") == "unknown"
    switch(page, "hall/lamp", "on")
    message(page).get_by_text("It is not known what happened").wait_for()
    page.context.set_offline(False)
    wait_until_live(page)
    wait_for_look(page, "hall/lamp", "on", "off")


def test_a_session_that_was_ended_elsewhere_leads_to_the_login(demo_home: Demo, open_page: Open) -> None:
    client = demo_home.client("guest")
    page = open_page(None)
    for cookie in client.cookies:
        page.context.add_cookies(
            [{"name": cookie.name, "value": cookie.value or "", "url": demo_home.url, "secure": True}]
        )
    page.goto(demo_home.url + "/")
    wait_until_live(page)
    assert client.call("POST", "/api/v1/logout").status == 204
    page.wait_for_url(demo_home.url + "/login?next=*")


def test_a_page_that_is_opened_while_a_room_is_away_is_live_and_the_doctor_tells_of_it(
    demo_home: Demo, open_page: Open
) -> None:
    demo_home.supervise("stop", "agent-garage")
    try:
        page = open_page("/", role="member")
        wait_until_live(page)
        wait_for_look(page, "garage/light", "offline")
        doctor = demo_home.command("doctor")
        assert "room garage is offline; it was there on 20" in doctor.stdout
        assert doctor.returncode == 0, "it may be off on purpose"
    finally:
        demo_home.supervise("start", "agent-garage")
    wait_for_look(page, "garage/light", "on", "off")
