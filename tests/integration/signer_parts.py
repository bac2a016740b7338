"""The signer as a process, for the tests of those who ask it."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.folder.home import ROOT, Home
from deploy.pki import signers
from shared.trust import signing, unix
from shared.trust.signing import Changed
from shared.words import messages
from shared.words.messages import AuditEvent
from shared.words.problem import HomeError
from tests import warm
from tests.house import DEADLINE, come_up


class Signer:
    """A home's signer; may be killed and started again."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.path = signers.socket(home.var, demo=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        state = signers.state(self.home.var)
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "deploy.signer",
            "--state",
            state,
            "--socket",
            self.path,
            "--demo",
        ]
        with (self.home.var / "log" / "signer.console").open("ab") as log:
            self._process = warm.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        come_up(self._process, lambda: unix.listens(self.path), "the signer listens")

    def stop(self, *, kill: bool = False) -> None:
        if self._process is not None:
            self._process.kill() if kill else self._process.terminate()
            self._process.wait(DEADLINE)
            self._process = None

    def ended(self) -> int:
        """Wait until it ended by itself; its exit code."""
        assert self._process is not None
        code = self._process.wait(DEADLINE)
        self._process = None
        return code

    def ask(self, order: signing.AnyOrder, kind: type[signing.A] = Changed) -> signing.A:  # type: ignore[assignment]
        return signing.ask(self.path, order, kind)

    def refusal(self, order: signing.AnyOrder) -> str:
        with pytest.raises(HomeError) as refused:
            self.ask(order)
        return refused.value.slug

    @property
    def spool(self) -> Path:
        return signers.state(self.home.var) / "spool.sqlite3"

    def told(self) -> list[AuditEvent]:
        """What it wrote down, the oldest first."""
        with contextlib.closing(sqlite3.connect(self.spool)) as file:
            rows = file.execute("SELECT body FROM event ORDER BY seq").fetchall()
        return [messages.decode(AuditEvent, body) for (body,) in rows]


def connected(signer: Signer) -> bool:
    try:
        signer.ask(signing.Look(name="gateway"), signing.Seen)
    except HomeError:
        return False
    return True
