"""Passkeys are offered by name where a browser trusts the certificate, and not where it would refuse them.

Without a virtual authenticator, with which Chromium takes any certificate.
"""

from pathlib import Path

import pytest

from tests.e2e.visitor import CERTUTIL, Visitor
from tests.renamed import OLD, Gateway, make

pytestmark = pytest.mark.skipif(CERTUTIL is None, reason="needs certutil (apt install libnss3-tools)")


def test_who_went_past_the_warning_is_offered_none(tmp_path: Path) -> None:
    gateway = Gateway(make(tmp_path / "var"))
    try:
        stranger, friend = (Visitor(tmp_path / name, gateway.port) for name in ("stranger", "friend"))
        friend.trust(gateway.home.pki / "web-ca.crt", "the home's")
        assert friend.is_offered_a_passkey(OLD)
        assert not stranger.is_offered_a_passkey(OLD)
        assert friend.is_told_of_trust(OLD).startswith("This browser trusts the home already.")
        assert stranger.is_told_of_trust(OLD).startswith("This browser does not trust the home yet.")
    finally:
        gateway.stop()
