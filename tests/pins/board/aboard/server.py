"""Answers the console: starts, asks and ends processes on the board. A request is a JSON line, and so is its answer."""

import json
import os
import subprocess
import sys
import termios
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARK = "@@"
"""Opens each answer's line, since the kernel may speak on the same console."""
processes: dict[str, subprocess.Popen[str]] = {}


def answer(request: Mapping[str, Any]) -> object:
    name = request.get("name", "")
    match request["do"]:
        case "run":
            done = subprocess.run(request["command"], capture_output=True, text=True, check=False)
            return {"code": done.returncode, "out": done.stdout, "error": done.stderr}
        case "start":
            with _errors(name).open("w") as errors:
                processes[name] = subprocess.Popen(
                    request["command"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
                )
            return {"pid": processes[name].pid}
        case "ask":
            process = processes[name]
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(request["line"]) + "\n")
            process.stdin.flush()
            said = process.stdout.readline()
            return json.loads(said) if said else {"ended": process.wait(), "error": _errors(name).read_text()}
        case "stop":
            process = processes[name]
            assert process.stdin is not None
            process.stdin.close()
            return {"code": process.wait()}
        case "end":
            processes[name].send_signal(request["signal"])
            return {"code": processes[name].wait()}
    raise ValueError(request["do"])


def _errors(name: str) -> Path:
    return Path("/tmp") / f"{name}.errors"


def main() -> None:
    settings = termios.tcgetattr(0)
    settings[3] &= ~(termios.ECHO | termios.ICANON)  # a request may be longer than a line that the kernel would edit
    termios.tcsetattr(0, termios.TCSANOW, settings)
    print(MARK, json.dumps({"kernel": os.uname().release}), flush=True)
    for line in sys.stdin:
        try:
            answered = answer(json.loads(line))
        except Exception:  # noqa: BLE001 - told to whoever asked
            answered = {"broken": traceback.format_exc()}
        print(MARK, json.dumps(answered), flush=True)


main()
