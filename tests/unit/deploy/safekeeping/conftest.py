"""Homes that come and go within tests, cheaply."""

import subprocess
from collections.abc import Iterator

import pytest

from deploy.folder import home as homes
from tests import thrifty_home, thrifty_passphrase, warm


@pytest.fixture(autouse=True, scope="module")
def thrifty() -> Iterator[None]:
    """Passphrases and passwords get next to no work: that of real ones, and what it hides, is shown in tests of sealing
    and of accounts. What looks at a home as its owner begins warm; whoever is killed while it waits for that has a cold
    one.
    """
    with pytest.MonkeyPatch.context() as patch:
        thrifty_passphrase.be_thrifty(patch)
        patch.setattr(homes, "render", thrifty_home.render)
        patch.setattr(subprocess, "Popen", warm.Popen)
        yield
