"""Passphrases that cost nothing: the work of a real one, and what it hides, is shown in tests of sealing itself."""

import pytest

from tests import thrifty_passphrase


@pytest.fixture(autouse=True)
def thrifty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of computing each, with what the library measures."""
    thrifty_passphrase.be_thrifty(monkeypatch)
