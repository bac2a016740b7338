"""Two hundred critical commands while everything dies at random: what was or may have been done is proven once.

The judge reads the pins, the chain and the mailbox; of our answers it only wants that they keep what they promise.
"""

import http.client
import random
import re
import sqlite3
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.chaos.conftest import LIMITS
from tests.demo import Client, Demo, text_of
from tests.house import DEADLINE, until

pytestmark = pytest.mark.timeout(900)

COMMANDS = 200
"""So many that were or may have been carried out; what was refused beforehand comes on top."""
ASKED_MOST = 1500
WISHES = (*(("hall/front-door", "unlock"), ("hall/front-door", "lock")) * 3, ("garage/door", "press"))
MORTAL = ("gateway", "alerts", "broker", "mailbox", "agent-hall", "agent-garage")
STRIKES = 0.25
"""Before so many of the commands somebody is marked for death."""
SENT = {"executed", "unknown", "cut off"}
SETTLED_SECONDS = 240.0


class Asked(NamedTuple):
    """One command and what its caller was told: an outcome, a problem's slug, or "cut off"."""

    id: str
    device: str
    action: str
    told: str


class Recorded(NamedTuple):
    """One event of the chain about a command."""

    row: int
    source: str
    outcome: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo home whose letters need not wait for one another."""
    made = Demo(tmp_path_factory.mktemp("proven"))
    assert made.command("init", "--demo").returncode == 0
    made.lift_limits(*LIMITS)
    path = made.var / "alerts.toml"
    text, count = re.subn(r"(?m)^#? ?per_minute = .*$", "per_minute = 600", path.read_text())
    assert count == 1
    path.write_text(text)
    made.start()
    yield made
    made.stop()


class Killer:
    """Kills one process after the other, -9, somewhere in the next command; whoever died comes back by itself."""

    def __init__(self, home: Demo, dice: random.Random) -> None:
        self._home = home
        self._dice = dice
        self._bag: list[str] = []
        self._timer: threading.Timer | None = None
        self.killed = Counter[str]()

    def strike(self) -> None:
        """Have somebody die within the next twentieth of a second, if the last one is dead."""
        if self._timer is not None and self._timer.is_alive():
            return
        if not self._bag:
            self._bag = self._dice.sample(MORTAL, len(MORTAL))
        self._timer = threading.Timer(self._dice.uniform(0.0, 0.05), self._kill, [self._bag.pop()])
        self._timer.start()

    def end(self) -> None:
        """Leave everybody alone."""
        if self._timer is not None:
            self._timer.join(DEADLINE)

    def _kill(self, name: str) -> None:
        if name in self._home.pids():  # else it is on its way back from the last time
            self._home.kill(name)
            self.killed[name] += 1


def test_what_was_or_may_have_been_done_is_proven_exactly_once(home: Demo) -> None:
    member = home.client("member")
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    killer = Killer(home, dice)
    asked: list[Asked] = []
    try:
        while sum(one.told in SENT for one in asked) < COMMANDS and len(asked) < ASKED_MOST:
            device, action = WISHES[len(asked) % len(WISHES)]
            until(lambda: _available(member, device), f"{device} can be asked", seconds=60)  # noqa: B023 - used at once
            if dice.random() < STRIKES:
                killer.strike()
            asked.append(_ask(member, device, action))
    finally:
        killer.end()

    def works_again() -> bool:
        asked.append(_ask(member, "hall/front-door", "lock"))
        return asked[-1].told == "executed"

    # Who died last may not be missed yet: what is asked until then is judged like the rest.
    until(works_again, "everything is back", seconds=60)
    until(lambda: not _open_ends(home), "every event is receipted, every letter sent", seconds=SETTLED_SECONDS)

    verified = home.command("audit", "verify")
    assert verified.returncode == 0, verified
    recorded = _recorded(home)
    letters = _letters(home, recorded)
    told = Counter(one.told for one in asked)
    for one in asked:
        _judge(one, recorded[one.id], letters[one.id])
    pulses = home.edges("garage", "door").count(1)
    ends = [event.outcome for one in asked if one.device == "garage/door" for event in _ends(recorded[one.id])]
    assert ends.count("executed") <= pulses <= ends.count("executed") + ends.count("failed")
    assert told["executed"] + told["unknown"] + told["cut off"] >= COMMANDS, told
    assert set(killer.killed) == set(MORTAL), killer.killed
    print(f"{len(asked)} commands, told {dict(told)}; {killer.killed.total()} kills: {dict(killer.killed)}")
    print(f"chain: {verified.stdout.strip().splitlines()[-1]}")
    print(f"garage door: {pulses} pulses, {ends.count('executed')} executed, {ends.count('failed')} interrupted")
    print(f"commands in the chain: {sum(bool(recorded[one.id]) for one in asked)}, each in a letter or digest")
    print(f"told twice, the outcome being late: {sum(len(letters[one.id]) == 2 for one in asked)}")


def _judge(one: Asked, recorded: list[Recorded], letters: set[str]) -> None:
    story = (one, recorded, letters)
    intents = [event for event in recorded if event.source == "gateway" and event.outcome == "asked"]
    ends = _ends(recorded)
    assert len(intents) <= 1, story
    assert len(ends) <= 1, story
    if one.told == "executed":
        assert [event.outcome for event in ends] == ["executed"], story
    if one.told in ("executed", "unknown") and one.action != "lock":  # a safe action waits for no proof
        assert len(intents) == 1, story
    if one.told not in SENT:  # it was refused
        assert not any(event.outcome == "executed" for event in ends), story
    # An outcome that came after a letter which knew of none has a letter of its own.
    assert len(letters) in ((1, 2) if ends else (1,) if recorded else (0,)), story


def _ends(recorded: list[Recorded]) -> list[Recorded]:
    """What the room says about how it ended."""
    return [event for event in recorded if event.source != "gateway"]


def _ask(member: Client, device: str, action: str) -> Asked:
    id_ = str(uuid.uuid4())
    try:
        answer = member.act(device, action, id=id_, confirm=True)
    except (OSError, http.client.HTTPException):
        return Asked(id_, device, action, "cut off")
    if answer.status == 200:
        return Asked(id_, device, action, "executed")
    told = answer.body.get("outcome") or answer.body["type"].rpartition("/")[2]
    return Asked(id_, device, action, str(told))


def _available(member: Client, device: str) -> bool:
    try:
        answer = member.call("GET", f"/api/v1/devices/{device}")
    except (OSError, http.client.HTTPException):
        return False
    return answer.status == 200 and bool(answer.body["available"])


def _open_ends(home: Demo) -> dict[str, int]:
    """What still waits for a receipt or for the mail server."""
    folder = home.var / "data"
    waiting = {
        path.name: _count(path, "SELECT count(*) FROM event WHERE receipted_at IS NULL")
        for path in folder.rglob("*.sqlite3")
        if path.name != "alerts.sqlite3" and _count(path, "SELECT count(*) FROM sqlite_master WHERE name = 'event'")
    }
    assert len(waiting) >= len({"gateway", "hall", "garage"}), waiting
    alerts = folder / "alerts.sqlite3"
    waiting["letters"] = _count(
        alerts, "SELECT count(*) FROM letters WHERE state IN ('waiting', 'ready') AND kind <> 'refused'"
    )
    waiting["deliveries"] = _count(alerts, "SELECT count(*) FROM deliveries WHERE state = 'pending'")
    return {name: count for name, count in waiting.items() if count}


def _count(path: Path, sql: str) -> int:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return int(db.execute(sql).fetchone()[0])


def _recorded(home: Demo) -> dict[str, list[Recorded]]:
    """The chain's events about commands, by id."""
    found: dict[str, list[Recorded]] = defaultdict(list)
    with sqlite3.connect(f"file:{home.var / 'data' / 'alerts.sqlite3'}?mode=ro", uri=True) as db:
        for id_, *event in db.execute(
            "SELECT command_id, row, source, outcome FROM events WHERE command_id IS NOT NULL ORDER BY row"
        ):
            found[id_].append(Recorded(*event))
    return found


def _letters(home: Demo, recorded: dict[str, list[Recorded]]) -> dict[str, set[str]]:
    """The letters that tell of each command, by Message-ID: one that was sent again is the same letter.

    What was refused may still wait for its digest, which is as good as a letter: it leaves within ten minutes.
    """
    of_row = {event.row: id_ for id_, events in recorded.items() for event in events}
    found: dict[str, set[str]] = defaultdict(set)
    for letter in home.letters():
        for row in re.findall(r"\brow (\d+)\b", text_of(letter)):
            if int(row) in of_row:
                found[of_row[int(row)]].add(str(letter["Message-ID"]))
    with sqlite3.connect(f"file:{home.var / 'data' / 'alerts.sqlite3'}?mode=ro", uri=True) as db:
        waiting = """SELECT one.intent, one.outcome, many.id FROM letters one JOIN letters many ON one.digest = many.id
            WHERE many.kind = 'refused' AND many.state = 'waiting'"""
        for intent, outcome, digest in db.execute(waiting):
            for row in {intent, outcome} & of_row.keys():
                found[of_row[row]].add(f"refused {digest}")
    return found
