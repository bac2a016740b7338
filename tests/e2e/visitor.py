"""Chromium as somebody has it who imports authorities, or goes past its warnings."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.renamed import NEW, OLD

CERTUTIL = shutil.which("certutil")
_ASKED = """import(document.querySelector("script[src*='/login.js']").src.replace("login.js", "passkeys.js"))
    .then((passkeys) => passkeys.hindrance())"""


class Visitor:
    """Chromium with a profile of its own, into which authorities are imported as a person does."""

    def __init__(self, profile: Path, port: int) -> None:
        self._profile = profile
        self._port = port
        self._database = f"sql:{profile}/.pki/nssdb"
        (profile / ".pki" / "nssdb").mkdir(parents=True)
        self._certutil("-N", "--empty-password")

    def trust(self, authority: Path, name: str) -> None:
        """Import an authority for web sites."""
        self._certutil("-A", "-n", name, "-t", "C,,", "-i", str(authority))

    def sees(self, host: str) -> str:
        """The title of the page at `host`, or the reason why there is none."""
        with self.page() as page:
            try:
                page.goto(f"https://{host}:{self._port}/login")
                return page.title()
            except Error as error:
                return error.message

    def is_offered_a_passkey(self, host: str) -> bool:
        """Whether the door at `host` offers one, to who went past a browser's warning where there was one."""
        with self.page(past_warnings=True) as page:
            page.goto(f"https://{host}:{self._port}/login")
            # As the page itself asked; browsers answer one after the other, so the page knows by then, too.
            page.evaluate(_ASKED)
            return page.get_by_role("button", name="Sign in with a passkey").is_visible()

    def is_told_of_trust(self, host: str) -> str:
        """What the authority's page says of this browser, to who went past a warning where there was one."""
        with self.page(past_warnings=True) as page:
            page.goto(f"https://{host}:{self._port}/authority")
            page.locator("#trust.good, #trust.bad").wait_for()
            return page.locator("#trust p").inner_text()

    @contextmanager
    def page(self, *, past_warnings: bool = False, locale: str = "en-GB") -> Iterator[Page]:
        """Each time in a browser that starts anew."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[*FLAGS, f"--host-resolver-rules=MAP {OLD} 127.0.0.1, MAP {NEW} 127.0.0.1"],
                env={**os.environ, "HOME": str(self._profile)},
            )
            try:
                yield browser.new_context(ignore_https_errors=past_warnings, locale=locale).new_page()
            finally:
                browser.close()

    def _certutil(self, *arguments: str) -> None:
        assert CERTUTIL is not None
        subprocess.run([CERTUTIL, "-d", self._database, *arguments], check=True, capture_output=True)
