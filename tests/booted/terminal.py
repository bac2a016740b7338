"""A person at a terminal: types a command on a real pseudo-terminal, answers what it asks, reads what it says."""

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]|\x1b[78=>]")


class Answer(NamedTuple):
    """What is typed when the terminal shows this (a regular expression), and how the report shows it.

    Who has to look, or to do something elsewhere first, makes the text of all that was shown until then.
    """

    prompt: str
    text: str | Callable[[str], str]
    shown: str | None = None


class Said(NamedTuple):
    """How a command went: its exit code (None: it did not end in time), what the terminal showed, what was typed."""

    code: int | None
    text: str
    typed: tuple[str, ...]


def converse(command: Sequence[str], answers: Sequence[Answer], seconds: float) -> Said:
    """Run `command` on a terminal of its own. Each answer is given once for each time that its prompt is shown."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x28\x00\xa0\x00\x00\x00\x00\x00")  # 40 lines of 160 signs

    process = subprocess.Popen(["setsid", "--ctty", "--wait", *command], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text, looked, typed = "", 0, []
    deadline = time.monotonic() + seconds
    try:
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([ours], [], [], left)[0]:
                continue
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # EIO: nobody holds the other end any more
                break
            if not chunk:
                break
            text += _CONTROL.sub("", chunk.decode(errors="replace")).replace("\r\n", "\n")
            while answer := _next(text[looked:], answers):
                looked = len(text)
                given = answer.text if isinstance(answer.text, str) else answer.text(text)
                os.write(ours, given.encode() + b"\n")
                typed.append(given if answer.shown is None else answer.shown)
        else:
            return Said(None, text, tuple(typed))
        return Said(process.wait(max(1.0, deadline - time.monotonic())), text, tuple(typed))
    finally:
        os.close(ours)  # whoever still runs there is hung up on
        if process.poll() is None:
            process.kill()
            process.wait()


def _next(shown: str, answers: Sequence[Answer]) -> Answer | None:
    """The answer to the prompt at the end of what is shown."""
    return next((answer for answer in answers if re.search(answer.prompt + r"[^\n]*$", shown)), None)
