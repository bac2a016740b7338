"""Records real messages as the code of another checkout makes them: `python -m tests.golden TREE`.

TREE is a checkout with its own environment (`git worktree add`, `deploy/setup.sh run`). A demo home of it lives for a
minute, and whatever its processes encode is written down: one of each shape, into `tests/golden/COMMIT.jsonl`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from tests.demo import Demo

FOLDER = Path(__file__).parent / "golden"
_MOST = 2
"""Of one shape, where the same shape says many things."""
_HOOK = """
import json, os

def _watch(messages):
    real = messages.encode

    def encode(message):
        payload = real(message)
        if isinstance(message, messages.Message):
            with open(os.environ["GOLDEN"], "a") as file:
                file.write(json.dumps({"kind": type(message).__name__, "payload": payload.decode()}) + "\\n")
        return payload

    messages.encode = encode

try:
    from shared.words import messages
except ImportError:
    from shared import messages
_watch(messages)
"""


def main() -> int:
    """Live in it, and keep one of each shape."""
    tree = Path(sys.argv[1]).resolve()
    commit = subprocess.run(
        ["git", "rev-parse", "--short=7", "HEAD"], cwd=tree, capture_output=True, text=True, check=True
    )
    with tempfile.TemporaryDirectory() as made:
        hook, heard = Path(made) / "hook", Path(made) / "heard.jsonl"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(_HOOK)
        with mock.patch.dict("os.environ", {"PYTHONPATH": str(hook), "GOLDEN": str(heard)}):
            live(Demo(Path(made) / "var", tree=tree))
        kept = shapes([json.loads(line) for line in heard.read_text().splitlines()])
    FOLDER.mkdir(exist_ok=True)
    target = FOLDER / f"{commit.stdout.strip()}.jsonl"
    target.write_text("".join(json.dumps(one) + "\n" for one in kept))
    print(f"{target}: {len(kept)} messages of {len({one['kind'] for one in kept})} kinds")
    return 0


def live(demo: Demo) -> None:
    """What a household does in a minute: all kinds of devices, refusals, a lockout, a lockdown."""
    demo.start()
    try:
        client = demo.client("master")
        for device, action, more in (
            ("hall/lamp", "on", {}),
            ("hall/lamp", "off", {}),
            ("hall/lamp", "open", {}),
            ("kitchen/lamp", "set", {"value": 40}),
            ("kitchen/lamp", "set", {"value": 400}),
            ("kitchen/blind", "open", {}),
            ("kitchen/blind", "stop", {}),
            ("kitchen/kettle", "on", {}),
            ("hall/front-door", "unlock", {}),
            ("hall/front-door", "unlock", {"confirm": True}),
            ("hall/front-door", "lock", {}),
            ("garage/door", "press", {"confirm": True}),
            ("garage/door", "press", {"confirm": True}),
        ):
            print(device, action, client.act(device, action, **more).status)
        for device, value in (("hall/door-contact", "open"), ("hall/doorbell", "press"), ("hall/lamp", "stuck")):
            demo.command("sim", device, value)
        client.act("hall/lamp", "on")
        print("signed out", client.call("POST", "/api/v1/logout").status)
        print(demo.command("lockdown", "begin").stdout)
        print(demo.command("lockdown", "end").stdout)
        demo.reborn("agent-hall", demo.kill("agent-hall"))
        demo.client("master").call("GET", "/api/v1/devices")
    finally:
        demo.stop()


def shapes(heard: list[dict[str, str]]) -> list[dict[str, str]]:
    """Some of each kind and shape, in the order in which they were said."""
    seen: dict[str, int] = {}
    kept = []
    for one in heard:
        shape = json.dumps([one["kind"], _shape(json.loads(one["payload"]))])
        seen[shape] = seen.get(shape, 0) + 1
        if seen[shape] <= (_MOST if one["kind"] in {"AuditEvent", "State"} else 1):
            kept.append(one)
    return kept


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(_shape(inner)) for inner in value})
    return type(value).__name__


if __name__ == "__main__":
    raise SystemExit(main())
