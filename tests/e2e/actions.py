"""What a person does in a browser and at the mailbox: sign in, switch, read a letter, look, and keep looking."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import CDPSession, Locator, Page

from tests.demo import CODE, Demo, text_of
from tests.house import DEADLINE, until

TOGETHER = re.compile(r"\b\d+ more times?\b|\bnoch \d+-mal\b")
"""The subject of a letter about several acts, in either language."""
WAIT = 45_000
"""Milliseconds that any wait on a page may take before the test fails."""


def sign_in(page: Page, demo: Demo, role: str, *, next_page: str = "/") -> None:
    """Both steps of the login page, with the code out of the letter; works with and without JavaScript."""
    user = demo.users()[role]
    page.goto(demo.url + "/login" + (f"?next={next_page}" if next_page != "/" else ""))
    before = len(demo.letters())
    page.get_by_label("E-mail").fill(user["email"])
    page.get_by_label("Password").fill(user["password"])
    page.get_by_role("button", name="Mail me a code").click()
    page.get_by_label("Code", exact=True).wait_for()
    if not page.get_by_label("Password").input_value():
        page.get_by_label("Password").fill(user["password"])
    # Typed as people type: small letters, no dash.
    page.get_by_label("Code", exact=True).fill(code_for(demo, user["email"], before).replace("-", "").lower())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(demo.url + next_page)


def code_for(demo: Demo, email: str, before: int) -> str:
    """The code from the letter that arrives after the first `before` letters."""

    def found() -> str | None:
        codes = (CODE.search(text_of(letter)) for letter in demo.letters(to=email, after=before))
        return next((match[1] for match in codes if match), None)

    return until(found, f"a code for {email}")


def read_letter(demo: Demo, subject: str, *, to: str, after: int) -> str:
    """The text, as one line, of the letter with such a subject, among those after the first `after`.

    Of several acts that are told together, the letter lists what else would be its subject.
    """

    def found() -> str | None:
        for letter in demo.letters(to=to, after=after):
            title, text = str(letter["Subject"]), " ".join(text_of(letter).split())
            if re.search(subject, title) or (TOGETHER.search(title) and re.search(subject, text)):
                return text
        return None

    # A letter about what one person does on one device again may wait a minute for more of it.
    return until(found, f"a letter about {subject}", seconds=2 * DEADLINE)


def card(page: Page, device: str) -> Locator:
    """The card of a device such as `hall/lamp`."""
    return page.locator(f'article[id="{device.replace("/", ".")}"]')


def look(page: Page, device: str) -> str:
    """What the card says now: on, off, locked, unknown, offline …"""
    return card(page, device).get_attribute("data-look") or ""


def word(page: Page, device: str) -> str:
    """The same as people read it."""
    return card(page, device).locator(".word").inner_text()


def wait_for_look(page: Page, device: str, *looks: str) -> None:
    """Wait until the card looks like one of these."""
    names = ", ".join(f'article[id="{device.replace("/", ".")}"][data-look="{one}"]' for one in looks)
    page.locator(names).wait_for(timeout=WAIT)


def button(page: Page, device: str, action: str) -> Locator:
    """One of a device's buttons, by its action."""
    return card(page, device).locator(f'button[value="{action}"]')


def switch(page: Page, device: str, action: str) -> None:
    """Press one of a device's buttons."""
    button(page, device, action).click()


def wait_until_live(page: Page) -> None:
    """Wait until the stream's snapshot is on the page."""
    page.locator("body[data-link=live]").wait_for(timeout=WAIT)


def message(page: Page) -> Locator:
    """The latest thing that the page said in a card."""
    return page.locator("main .told").last


def record(page: Page) -> None:
    """From now on remember everything that the page shows, however briefly: `recorded` tells it."""
    page.evaluate(
        """() => {
            const look = (it) => [it.id.replace(".", "/"), it.dataset.look];
            const now = () => ({
                link: document.body.dataset.link,
                headline: document.getElementById("headline")?.textContent,
                looks: Object.fromEntries([...document.querySelectorAll("article.device")].map(look)),
            });
            window.recorded = [now()];
            new MutationObserver(() => window.recorded.push(now())).observe(document.body, {
                attributes: true, attributeFilter: ["data-look", "data-link"], subtree: true,
            });
        }"""
    )


def recorded(page: Page, condition: Callable[[dict[str, Any]], bool], what: str) -> list[dict[str, Any]]:
    """Wait until the page has shown, at one moment, what `condition` wants; everything that it showed so far."""

    def found() -> list[dict[str, Any]] | None:
        moments: list[dict[str, Any]] = page.evaluate("window.recorded")
        return moments if any(condition(moment) for moment in moments) else None

    return until(found, what)


def plug_in(page: Page) -> tuple[CDPSession, str]:
    """A device of this page's own that keeps passkeys and knows whose finger it is."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    added = devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return devices, str(added["authenticatorId"])


@contextmanager
def paused(demo: Demo, process: str) -> Iterator[None]:
    """A process that does not answer for a while."""
    pid = demo.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
