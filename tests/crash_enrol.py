"""Enrols and revokes in a home, killed as by kill -9 before an effect of a given number. For crash tests.

`python -m tests.crash_enrol VAR` takes orders as lines of JSON, `[NUMBER, ACT, NAME, OUT]`, and follows each in a fork
of its own: NUMBER 0 lives. It prints every effect, and how it ended. An effect is a file that is renamed or removed, a
statement that writes or a commit, a message to the broker, a signal.
"""

import asyncio
import json
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import paho.mqtt.client as paho

from deploy.enrolling import enrol
from deploy.folder import home as homes
from shared.words.problem import HomeError
from tests.effects import Effects

FINISHED, REFUSED = 0, 1
_FILES = {"os.rename", "os.remove", "os.mkdir", "os.kill"}


def main() -> None:
    """Follow orders until there are none."""
    home = homes.find(Path(sys.argv[1]))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_follow(home, *json.loads(line)))
        _, status = os.waitpid(child, 0)
        _say(f"end {os.waitstatus_to_exitcode(status)}")


class Ending(NamedTuple):
    """FINISHED, REFUSED or minus the signal; what was done, and the words of a refusal."""

    code: int
    said: list[str]


def _follow(home: homes.Home, number: int, act: str, name: str, out: str) -> int:
    effects = _counted()
    effects.arm(number or sys.maxsize)
    try:
        if act == "add":
            asyncio.run(enrol.add_room(home, name, Path(out)))
        else:
            asyncio.run(enrol.revoke(home, name, "room"))
    except HomeError as error:
        _say(error.detail)
        return REFUSED
    return FINISHED


def _counted() -> Effects:
    dying = threading.Event()

    def kill() -> None:
        dying.set()
        os.kill(os.getpid(), signal.SIGKILL)

    effects = Effects(kill, _say)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FILES and not dying.is_set():
            effects.before(f"{event} {arguments[0]}")

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            if not sql.startswith(("SELECT", "PRAGMA")):
                effects.before(" ".join(sql.split()[:3]))
            return super().execute(sql, parameters)

        def commit(self) -> None:
            effects.before("commit")
            super().commit()

    connect, publish = sqlite3.connect, paho.Client.publish

    def counted(client: paho.Client, topic: str, *arguments: Any, **named: Any) -> paho.MQTTMessageInfo:
        effects.before(f"publish {topic}")
        return publish(client, topic, *arguments, **named)

    sys.addaudithook(hear)
    mock.patch.object(sqlite3, "connect", lambda *a, **n: connect(*a, **{"factory": Connection} | n)).start()
    mock.patch.object(paho.Client, "publish", counted).start()
    return effects


def _say(what: str) -> None:
    os.write(1, f"{what}\n".encode())


if __name__ == "__main__":
    main()
