"""The cookie's key: read, or refused."""

from pathlib import Path

import pytest

from gateway.door.cookie import read_cookie_secret
from shared.running.config import ConfigError


def test_a_cookie_key_of_another_size_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("c2hvcnQ")
    key.chmod(0o600)
    with pytest.raises(ConfigError, match="32 bytes"):
        read_cookie_secret(key)
    key.write_text("A" * 43 + "\n")
    assert read_cookie_secret(key) == bytes(32)
