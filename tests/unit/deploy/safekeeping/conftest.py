"""Passphrases put to keys once each: that the dearest of several counts is shown in tests of sealing itself."""

import pytest

from deploy.archives import sealing


@pytest.fixture(autouse=True)
def measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of computing each, with the work of a real passphrase."""
    monkeypatch.setattr(sealing, "_MEASURED", 1)
