"""An agent that dies, stops or was never there: nobody is told "executed" without it, and nothing starts late."""

import signal
import threading
from pathlib import Path

import pytest

from tests.demo import Answer, Client, Demo
from tests.house import DEADLINE, until


@pytest.fixture(scope="module")
def member(chaos_home: Demo) -> Client:
    return chaos_home.client("member")


def unread_bytes(pid: int) -> int:
    """What lies in a process's TCP sockets and was not read yet."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        link = str(entry.readlink())
        if link.startswith("socket:["):
            inodes.add(link[8:-1])
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    rows += [line.split() for line in Path(f"/proc/{pid}/net/tcp6").read_text().splitlines()[1:]]
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[9] in inodes)


def test_killed_between_command_and_answer_is_unknown_and_nothing_starts_later(
    chaos_home: Demo, member: Client
) -> None:
    member.act("hall/lamp", "off")
    before = chaos_home.edges("hall", "lamp")
    answers: list[Answer] = []
    pid = chaos_home.kill("agent-hall", signal.SIGSTOP)
    caller = threading.Thread(target=lambda: answers.append(member.act("hall/lamp", "on")))
    caller.start()
    until(lambda: unread_bytes(pid) > 0, "the command waits in the agent's socket")
    chaos_home.kill("agent-hall", signal.SIGKILL)
    caller.join(DEADLINE)
    assert answers[0].status == 504
    assert answers[0].body["outcome"] == "unknown"
    until(lambda: member.device("hall/lamp")["available"], "the room is back")
    assert chaos_home.edges("hall", "lamp") == before
    assert member.act("hall/lamp", "on").status == 200
    assert chaos_home.edges("hall", "lamp") == [*before, 1]


def test_a_critical_id_that_nobody_answered_moves_nothing_however_often_it_is_sent_again(
    chaos_home: Demo, member: Client
) -> None:
    before = chaos_home.edges("hall", "front-door")
    answers: list[Answer] = []

    def unlock(id_: str) -> None:
        answers.append(member.act("hall/front-door", "unlock", confirm=True, id=id_))

    pid = chaos_home.kill("agent-hall", signal.SIGSTOP)
    caller = threading.Thread(target=unlock, args=("nobody-answered",))
    caller.start()
    until(lambda: unread_bytes(pid) > 0, "the command waits in the agent's socket")
    chaos_home.kill("agent-hall", signal.SIGKILL)
    caller.join(DEADLINE)
    assert (answers[0].status, answers[0].body["outcome"]) == (504, "unknown")
    until(lambda: member.device("hall/front-door")["available"], "the room is back")
    unlock("nobody-answered")
    former = chaos_home.kill("gateway")
    chaos_home.reborn("gateway", former)
    until(lambda: _is_back(member), "the gateway is back")
    until(lambda: member.device("hall/front-door")["available"], "it knows the room")
    unlock("nobody-answered")
    assert [(answer.status, answer.body["type"]) for answer in answers[1:]] == [(409, "/problems/id-used")] * 2
    assert chaos_home.edges("hall", "front-door") == before
    unlock("another-id")
    assert answers[3].status == 200, answers[3].body
    assert chaos_home.edges("hall", "front-door") == [*before, 1]
    assert member.act("hall/front-door", "lock").status == 200


def test_a_stopped_room_is_503_at_once_and_shows_no_state(chaos_home: Demo, member: Client) -> None:
    chaos_home.supervise("stop", "agent-garage")
    try:
        until(lambda: not member.device("garage/light")["available"], "the room is offline")
        answer = member.act("garage/light", "on")
        assert answer.status == 503
        assert answer.body["type"].endswith("room-offline")
        assert member.device("garage/light")["state"] is None
    finally:
        chaos_home.supervise("start", "agent-garage")
    until(lambda: member.device("garage/light")["available"], "the room is back")


def test_a_hub_that_restarts_while_a_room_is_off_never_shows_it_on(chaos_home: Demo, member: Client) -> None:
    assert member.act("garage/light", "on").status == 200
    # Power fails in the garage: no goodbye, no will, and the broker does not live to notice.
    frozen = chaos_home.kill("agent-garage", signal.SIGSTOP)
    broker, gateway = chaos_home.kill("broker"), chaos_home.kill("gateway")
    chaos_home.reborn("broker", broker)
    chaos_home.reborn("gateway", gateway)
    try:
        until(lambda: _is_back(member), "the gateway answers again")
        until(lambda: member.device("hall/lamp")["available"], "the other rooms are back")
        light = member.device("garage/light")
        assert light["state"] is None
        assert not light["available"]
        assert member.act("garage/light", "off").status == 503
    finally:
        chaos_home.kill("agent-garage")
    chaos_home.reborn("agent-garage", frozen)
    until(lambda: member.device("garage/light")["available"], "the room is back")


def _is_back(client: Client) -> bool:
    try:
        return client.call("GET", "/readyz").status == 200
    except OSError:
        return False
