"""A cable that can be cut: a network namespace for whatever is far away, joined to ours by a pair of interfaces."""

import os
import shutil
import subprocess
from types import TracebackType

from tests.claimed import network


class UnavailableError(Exception):
    """Why no cable can be laid here."""


class Cable:
    """`here` is our end's address, `there` the far one's; `there_too` starts a command at the far end.

    Cut, it loses every packet and nobody is told: no connection is closed, as when somebody pulls the plug.
    """

    def __init__(self, number: int) -> None:
        """`number` tells one cable of this process from another."""
        self._ip = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") or ""
        self._space = f"home-{os.getpid()}-{number}"
        self._near, self._far = f"hn{number}-{os.getpid()}", f"hf{number}-{os.getpid()}"
        net = network()
        self.here, self.there = f"{net}.1", f"{net}.2"

    @property
    def there_too(self) -> tuple[str, ...]:
        """The command line that runs another one at the far end; it becomes that process."""
        return (self._ip, "netns", "exec", self._space)

    def __enter__(self) -> "Cable":
        if os.geteuid() != 0:
            raise UnavailableError("only root can make a network namespace")
        if not self._ip:
            raise UnavailableError("ip (iproute2) is not installed")
        try:
            self._lay()
        except subprocess.CalledProcessError as error:
            self.__exit__(None, None, None)
            raise UnavailableError(f"no network namespace can be made here: {error.stderr.strip()}") from error
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """The interfaces go with the namespace."""
        for rest in (("link", "del", self._near), ("netns", "del", self._space)):
            subprocess.run([self._ip, *rest], check=False, capture_output=True)

    def cut(self) -> None:
        """From now on every packet is lost."""
        self._run("link", "set", self._near, "down")

    def mend(self) -> None:
        """Packets get through again."""
        self._run("link", "set", self._near, "up")

    def _lay(self) -> None:
        self._run("netns", "add", self._space)
        self._run("link", "add", self._near, "type", "veth", "peer", "name", self._far, "netns", self._space)
        self._run("addr", "add", f"{self.here}/30", "dev", self._near)
        self._run("-n", self._space, "addr", "add", f"{self.there}/30", "dev", self._far)
        self._run("-n", self._space, "link", "set", self._far, "up")
        self._run("link", "set", self._near, "up")

    def _run(self, *words: str) -> None:
        subprocess.run([self._ip, *words], check=True, capture_output=True, text=True)
