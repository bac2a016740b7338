"""A home of more than 200 devices in a real browser: seen at a glance, live, opened room by room."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright, expect

from gateway.pages.overview import MOST_SHOWN
from shared.words import messages, topics
from shared.words.internal import RegisteredRoom
from shared.words.messages import Description
from shared.words.names import Kind, Role
from tests.e2e.actions import WAIT
from tests.e2e.conftest import FLAGS, PHONE, SHELL, trusting
from tests.house import Broker
from tests.integration.gateway_parts import GatewayHouse
from tests.integration.mqtt_parts import Client
from tests.unit.gateway import parts

SWITCHES = tuple(parts.described(f"lamp-{number}") for number in range(63))
KITCHEN = Description(
    room="kitchen", name="Kitchen", agent_version="1", devices=(*SWITCHES, parts.described("window", Kind.CONTACT))
)
AWAY = ("attic", "cellar", "loft")


class Kitchen:
    """A room of 64 devices, on its own connection."""

    def __init__(self, broker: Broker) -> None:
        self.client = Client(broker, "kitchen")
        self._say(topics.description("kitchen"), KITCHEN)
        for device in SWITCHES:
            self.tell(device.id, "off")
        self.tell("window", "closed")
        self._say(topics.availability("kitchen"), parts.online("kitchen-1"))

    def tell(self, device: str, value: messages.Value) -> None:
        """Have a device be so."""
        self._say(topics.state("kitchen", device), parts.state(value))

    def _say(self, topic: str, message: messages.Message) -> None:
        self.client.publish(topic, messages.encode(message), retain=message.RETAIN)


@asynccontextmanager
async def large_home(broker: Broker) -> AsyncIterator[tuple[GatewayHouse, Kitchen]]:
    """Two rooms that are there, and three that nobody has heard of yet."""
    async with GatewayHouse(broker) as house:
        house.auth.enrolled.add("kitchen")
        entries = tuple(map(parts.registered, KITCHEN.devices))
        for room in (*AWAY, "kitchen"):
            house.auth.rooms[room] = RegisteredRoom(id=room, name=room.capitalize(), devices=entries)
        house.gateway.registrar.outdated()
        kitchen = Kitchen(broker)
        home = house.gateway.home
        await house.until(lambda: home.state("kitchen", "window") is not None, "the kitchen is online")
        await house.until(lambda: len(home.names()) == 5, "every room is registered")
        assert sum(len(room.devices) for room in home.rooms()) > MOST_SHOWN
        try:
            yield house, kitchen
        finally:
            kitchen.client.close()


@asynccontextmanager
async def signed_in(house: GatewayHouse, browser: Browser, *, javascript: bool = True) -> AsyncIterator[Page]:
    """A page of the master user at phone size; what it throws fails the test."""
    visitor = await house.visitor(parts.session(Role.MASTER))
    cookies = [{"name": c.key, "value": c.value, "url": house.url, "secure": True} for c in visitor.http.cookie_jar]
    context = await browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, base_url=house.url, java_script_enabled=javascript
    )
    context.set_default_timeout(WAIT)
    await context.add_cookies(cookies)  # type: ignore[arg-type]  # names as the library has them
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    await context.close()
    assert faults == []


async def test_a_large_home_is_seen_at_a_glance_and_opened_room_by_room(broker: Broker) -> None:
    expect.set_options(timeout=WAIT)
    async with large_home(broker) as (house, kitchen), async_playwright() as playwright:
        flags = [*FLAGS, trusting(house.home.var)]
        browser = await playwright.chromium.launch(executable_path=SHELL, args=flags)
        async with signed_in(house, browser, javascript=False) as page:
            await page.goto("/")
            await expect(page.locator("#calm .tile")).to_have_count(1)
            await expect(page.locator("#calm .tile")).to_contain_text("All is quiet.")
            await page.get_by_role("link", name="Kitchen").click()
            await expect(page.locator("article.device")).to_have_count(64)
        async with signed_in(house, browser) as page:
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url.removeprefix(house.url)))
            await page.goto("/")
            await page.locator("body[data-link=live]").wait_for()
            await expect(page.locator("#headline")).to_contain_text("3 rooms are unknown.")
            await page.evaluate("window.same = true")
            kitchen.tell("window", "open")
            first = page.locator("#grave .tile").first
            await expect(first).to_contain_text("Window is open")
            await expect(first).to_have_attribute("data-room", "kitchen")
            await expect(page.locator("#headline")).to_contain_text("Window in Kitchen is open.")
            kitchen.tell("window", "closed")
            await expect(page.locator("#calm .tile")).to_have_attribute("data-room", "kitchen")
            kitchen.tell("lamp-1", "on")
            await expect(page.locator("#calm .tile")).to_contain_text("Lamp 1 is on")
            await page.get_by_label("Find a room").fill("hal")
            await expect(page.locator(".tile:visible")).to_have_count(1)
            assert await page.evaluate("window.same"), "all of it without loading the page anew"
            assert [path for path in asked if path.startswith("/api/v1/events")] == ["/api/v1/events?rooms=&sums"]
            await page.keyboard.press("Tab")
            # A button that is pressed before the room's page is live is a form: the lamp is on then before a stream is.
            async with page.expect_request("**/api/v1/events?rooms=hall"):
                await page.keyboard.press("Enter")
            await page.locator("article[id='hall.lamp'] button[value=on]").click()
            await page.locator("article[id='hall.lamp'][data-look=on]").wait_for()
        async with signed_in(house, browser) as page:
            await page.goto("/")
            await page.locator("body[data-link=live]").wait_for()
            nothing = Description(room="hall", name="Hall", agent_version="1", devices=())
            house.room.publish(topics.description("hall"), nothing)
            await expect(page.locator(".tile[data-room=hall]")).to_contain_text("0 devices")
            house.room.vanish()
            await expect(page.locator(".tile[data-room=hall]")).to_contain_text("offline")
            await house.stop()
            await page.locator("body[data-link=lost]").wait_for()
            await expect(page.locator("#headline")).to_have_text("Nothing is known just now.")
            await expect(page.locator(".tile[data-status=unknown]")).to_have_count(5)
        await browser.close()
