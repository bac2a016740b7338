"""Where a browser trusts the home it keeps an honest page for when that is away, and nothing else."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.actions import WAIT
from tests.e2e.visitor import CERTUTIL, Visitor
from tests.renamed import OLD, Gateway, make

pytestmark = pytest.mark.skipif(CERTUTIL is None, reason="needs certutil (apt install libnss3-tools)")

KEPT = """async () => {
    await navigator.serviceWorker.ready;
    const found = {};
    for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys())
            found[new URL(url).pathname] = await (await caches.match(url)).text();
    return found;
}"""


@pytest.mark.parametrize(
    ("language", "away", "door"),
    [("en", "The home cannot be reached", "Sign in"), ("de", "Das Zuhause ist nicht erreichbar", "Anmelden")],
)
def test_the_shell_says_that_the_home_is_away_and_goes_on_once_it_is_back(
    tmp_path: Path, language: str, away: str, door: str
) -> None:
    home = make(tmp_path / "var")
    gateway = Gateway(home)
    try:
        friend = Visitor(tmp_path / "friend", gateway.port)
        friend.trust(home.pki / "web-ca.crt", "the home's")
        with friend.page(locale=language) as page:
            page.goto(f"https://{OLD}:{gateway.port}/login")
            kept: dict[str, str] = page.evaluate(KEPT)
            assert {name for name in kept if not name.endswith((".css", ".js", ".svg", ".webmanifest"))} == {"/offline"}
            assert "csrf" not in kept["/offline"]
            errors = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
            assert [one["errorId"] for one in errors if one["errorId"] != "in-incognito"] == []
            gateway.stop()
            page.goto(f"https://{OLD}:{gateway.port}/rooms/hall")
            expect(page.get_by_role("heading", level=1)).to_have_text(away)
            expect(page.get_by_role("status")).to_be_visible()
            assert page.locator("html").get_attribute("lang") == language
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate("getComputedStyle(document.querySelector('.sheet')).borderRadius") != "0px"
            page.get_by_role("link").click()
            expect(page.get_by_role("heading", level=1)).to_have_text(away)
            gateway = Gateway(home)  # found by itself, perhaps before anybody could press anything
            page.wait_for_url("**/login?next=/rooms/hall", timeout=WAIT)
            expect(page.get_by_role("heading", level=1)).to_have_text(door)
            assert page.evaluate("sessionStorage.length") == 0
    finally:
        gateway.stop()


def test_who_went_past_the_warning_keeps_nothing_and_is_told_nothing(tmp_path: Path) -> None:
    gateway = Gateway(make(tmp_path / "var"))
    try:
        with Visitor(tmp_path / "stranger", gateway.port).page(past_warnings=True) as page:
            faults: list[str] = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.goto(f"https://{OLD}:{gateway.port}/login")
            refused = page.evaluate(
                "async () => { try { await navigator.serviceWorker.register('/service-worker.js?x'); return false; }"
                " catch { return (await navigator.serviceWorker.getRegistrations()).length === 0; } }"
            )
            assert refused
            assert page.evaluate("caches.keys()") == []
            assert faults == []
    finally:
        gateway.stop()
