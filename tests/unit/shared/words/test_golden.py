"""Messages as past versions made them, and past versions with messages as we make them: machines are upgraded in turn.

The fixtures in tests/golden bear the commit whose code made them in a living home (`python -m tests.golden`).
"""

import json
import os
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from shared.words import messages
from shared.words.messages import (
    Acknowledgement,
    By,
    Command,
    CoverValue,
    Description,
    DeviceDescription,
    Message,
    State,
    UserRef,
)
from shared.words.names import Action, Kind, Outcome, Severity
from tests.unit.shared.words.test_messages import AT, GOLDEN

ROOT = Path(__file__).resolve().parents[4]
FILES = sorted((ROOT / "tests" / "golden").glob("*.jsonl"))
KINDS = {kind.__name__: kind for kind in Message.__subclasses__()}
SINCE = {"Csr", "Certificate", "Authorities", "RoomSettings", "RoomFile"}
"""Kinds that only travel where both sides know them: an older hub does not hear a room that asks or tells of its file,
and to an older room `system/authorities` and its own `settings` are no topics of the house's.
"""
_THEN = """
import json, sys
try:
    from shared.words import messages, names
except ImportError:
    from shared import messages, names
members = {kind: [one.value for one in getattr(names, kind)] for kind in ("Action", "Kind", "Outcome", "Severity")}
said = []
for line in sys.stdin:
    one = json.loads(line)
    try:
        kept = messages.encode(messages.decode(getattr(messages, one["kind"]), one["payload"]))
        said.append(json.loads(kept))
    except Exception as error:
        said.append(f"{type(error).__name__}: {error}")
print(json.dumps({"members": members, "said": said}))
"""
FULL = (
    Command(
        action=Action.SET,
        value=4,
        id="c-1",
        issued_at=AT,
        user=UserRef(id="u1", name="Ada"),
        origin="192.0.2.7",
        authorization="later",
        recall=True,
    ),
    Acknowledgement(
        id="c-1",
        outcome=Outcome.REJECTED,
        at=AT,
        reason="interlocked",
        detail="Another one is on.",
        state=State(value=CoverValue(position=4, moving=None), since=AT, by=By(source="command", issuer="gateway")),
        repeated=True,
    ),
    Description(
        room="hall",
        name="Hall",
        agent_version="99.1",
        hub="hub.home.arpa",
        certificate="3F2A",
        devices=(
            DeviceDescription(
                id="blind",
                name="Blind",
                kind=Kind.COVER,
                critical=True,
                confirm=True,
                actions=(Action.OPEN, Action.CLOSE, Action.STOP),
                safe_actions=(Action.STOP,),
                max_on=1.5,
                min_off=1.0,
                min_interval=2.0,
                pulse_ms=500,
                travel_time=3.0,
                dead_time=0.5,
                relock_after=9.0,
                interlock="shutters",
                lockout=True,
                contact="door",
                boot="off",
                on_link_loss="hold",
                link_loss_after=60.0,
                values=("open", "closed"),
                events=("press",),
                unit="°C",
                minimum=0.0,
                maximum=9.0,
            ),
        ),
    ),
)
"""With every field that there is."""


def said(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def lost(before: Any, after: Any, place: str = "") -> list[str]:
    """What stands in `before` and is not the same in `after`, which may have more."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [line for name, value in before.items() for line in lost(value, after.get(name), f"{place}.{name}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [line for at, value in enumerate(before) for line in lost(value, after[at], f"{place}[{at}]")]
    return [] if before == after else [f"{place}: {before!r} became {after!r}"]


def test_there_are_messages_of_several_past_versions_and_of_every_kind() -> None:
    assert len(FILES) >= 2
    for path in FILES:
        assert {one["kind"] for one in said(path)} == set(KINDS) - SINCE, path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_past_version_said_is_understood_with_all_that_it_says(path: Path) -> None:
    wrong = []
    for one in said(path):
        message = messages.decode(KINDS[one["kind"]], one["payload"])
        wrong += [
            f"{one['kind']}{fault}" for fault in lost(json.loads(one["payload"]), json.loads(messages.encode(message)))
        ]
    assert wrong == []


@pytest.fixture(scope="module", params=[path.stem for path in FILES])
def then(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ground floor as it stood at a commit."""
    command = ["git", "archive", "--format=tar", request.param, "shared"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this checkout does not reach back to {request.param}")
    folder = tmp_path_factory.mktemp(str(request.param))
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def told(then: Path, said_now: list[tuple[str, bytes]]) -> tuple[dict[str, list[str]], list[Any]]:
    """What the code of then knows, and makes of payloads by their kinds: what it keeps of each, or its refusal."""
    lines = [json.dumps({"kind": kind, "payload": payload.decode()}) for kind, payload in said_now]
    environment = {**os.environ, "PYTHONPATH": str(then)}
    command = [sys.executable, "-P", "-c", _THEN]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True, env=environment)
    answer = json.loads(done.stdout)
    return answer["members"], answer["said"]


@pytest.mark.parametrize("more", [False, True], ids=["as it is", "with a field of a later version"])
def test_what_we_say_is_understood_by_a_past_version(then: Path, more: bool) -> None:
    ours: list[Message] = [message for message, _ in GOLDEN if type(message).__name__ not in SINCE]
    ours += [*FULL, *(messages.decode(KINDS[one["kind"]], one["payload"]) for path in FILES for one in said(path))]
    later = {"from_a_later_version": {"x": [1]}} if more else {}
    payloads = [json.dumps(json.loads(messages.encode(message)) | later).encode() for message in ours]
    kinds = [type(message).__name__ for message in ours]
    members, heard = told(then, list(zip(kinds, payloads, strict=True)))
    assert [line for line in heard if isinstance(line, str)] == []
    for name, ours_now in (("Action", Action), ("Kind", Kind), ("Outcome", Outcome), ("Severity", Severity)):
        assert set(members[name]) == {one.value for one in ours_now}, f"{name}: a past version takes no other"


def test_what_a_past_version_would_refuse_is_found(then: Path) -> None:
    _, heard = told(then, [("Command", b'{"action":"dance"}')])
    assert "HomeError" in heard[0]
