"""A real browser follows a hub to its new name: it believes what was imported into it, and nothing besides."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.names import renaming
from tests.e2e.visitor import CERTUTIL, Visitor
from tests.renamed import NEW, OLD, Gateway, make, sign_outside

pytestmark = pytest.mark.skipif(CERTUTIL is None, reason="needs certutil (apt install libnss3-tools)")


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
