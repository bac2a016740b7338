"""A real browser follows a hub to its new name: it believes what was imported into it, and nothing besides."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

from deploy.names import renaming
from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.renamed import NEW, OLD, Gateway, make, sign_outside

CERTUTIL = shutil.which("certutil")
pytestmark = pytest.mark.skipif(CERTUTIL is None, reason="needs certutil (apt install libnss3-tools)")


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
        """The title of the page at `host`, or the reason why there is none. Each time a browser that starts anew."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[*FLAGS, f"--host-resolver-rules=MAP {OLD} 127.0.0.1, MAP {NEW} 127.0.0.1"],
                env={**os.environ, "HOME": str(self._profile)},
            )
            page = browser.new_page()
            try:
                page.goto(f"https://{host}:{self._port}/login")
                return page.title()
            except Error as error:
                return error.message
            finally:
                browser.close()

    def _certutil(self, *arguments: str) -> None:
        assert CERTUTIL is not None
        subprocess.run([CERTUTIL, "-d", self._database, *arguments], check=True, capture_output=True)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(make(tmp_path / "var"))
    yield made
    made.stop()


def test_a_browser_believes_the_old_name_all_along_and_the_new_one_once_it_is_imported(
    gateway: Gateway, tmp_path: Path
) -> None:
    pki, visitor = gateway.home.pki, Visitor(tmp_path / "profile", gateway.port)
    visitor.trust(pki / "web-ca.crt", "the first")
    assert "ign in" in visitor.sees(OLD)
    renaming.begin(gateway.home, NEW)
    assert "ign in" in visitor.sees(OLD)
    assert "ERR_CERT_AUTHORITY_INVALID" in visitor.sees(NEW)
    visitor.trust(pki / "web-ca.crt", "the second")
    assert "ign in" in visitor.sees(NEW)
    assert "ign in" in visitor.sees(OLD)


def test_a_browser_refuses_what_was_signed_outside_of_its_authority(gateway: Gateway, tmp_path: Path) -> None:
    visitor = Visitor(tmp_path / "profile", gateway.port)
    visitor.trust(gateway.home.pki / "web-ca.crt", "the first")
    sign_outside(gateway.home)
    assert "ERR_CERT_INVALID" in visitor.sees(NEW)
