"""A real Redis of the tests' own, for what gateways count together."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.claimed import free_port
from tests.house import DEADLINE, come_up


class Redis:
    """A server of this test's own; it keeps nothing on disk. Skips where the program is not installed."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("redis-server") is None:
            pytest.skip("Redis, an option, is not installed")
        self.port = free_port()
        self.url = f"redis://:secret@127.0.0.1:{self.port}/0"
        self._folder = folder

    def start(self) -> None:
        binary = shutil.which("redis-server")
        assert binary is not None
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "secret"]
        log = self._folder / "log"
        with log.open("wb") as file:
            self.process = subprocess.Popen([binary, *options], stdout=file, cwd=self._folder)
        come_up(self.process, lambda: "eady to accept" in log.read_text(), "Redis is ready", said=log.read_text)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)

    def close(self) -> None:
        self.kill()

    def stored(self) -> str:
        """Every key, one a line."""
        return self._asked("KEYS", "*")

    def counted(self, key: str) -> int:
        """What stands under the key that ends so."""
        return sum(int(self._asked("GET", one)) for one in self.stored().split() if one.endswith(key))

    def _asked(self, *command: str) -> str:
        asked = ["redis-cli", "-p", str(self.port), "--no-auth-warning", "-a", "secret", *command]
        return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=DEADLINE).stdout
