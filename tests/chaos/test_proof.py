"""Proof survives: one letter per critical action, whatever was down in between."""

import email.message
import json
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from tests.chaos.test_revoking import tool
from tests.demo import Client, Demo, text_of
from tests.house import DEADLINE, until

TOLD = 2 * DEADLINE
"""What one person does on one device again may wait a minute to be told together."""


@pytest.fixture(scope="module")
def member(chaos_home: Demo) -> Client:
    return chaos_home.client("member")


def letters_about(demo: Demo, command: str) -> list[email.message.EmailMessage]:
    """The letters that name a command's id."""
    return [letter for letter in demo.letters() if command in text_of(letter)]


def unlock(member: Client) -> str:
    """Unlock the front door; the command's id."""
    command = str(uuid.uuid4())
    answer = member.act("hall/front-door", "unlock", id=command, confirm=True)
    assert answer.status == 200, answer
    return command


def test_a_critical_action_brings_one_letter_that_says_it_all(chaos_home: Demo, member: Client) -> None:
    command = unlock(member)
    letter = until(lambda: letters_about(chaos_home, command), "the letter", seconds=TOLD)[0]
    assert chaos_home.users()["master"]["email"] in str(letter["To"])
    text = text_of(letter)
    for fact in (member.user["name"], "127.0.0.1", "executed", "unlock"):
        assert fact.lower() in text.lower(), text
    assert member.act("hall/front-door", "lock").status == 200


def test_a_trusted_clients_critical_command_brings_one_letter_that_says_how_it_ended(
    chaos_home: Demo, member: Client, tmp_path: Path
) -> None:
    added = chaos_home.command("client", "add", "tablet", "--may", "hall/front-door", "--out", str(tmp_path / "tablet"))
    assert added.returncode == 0, added.stderr
    command, files = str(uuid.uuid4()), tmp_path / "tablet"
    wish = json.dumps({"action": "unlock", "id": command, "issued_at": time.time()})
    topic = "home/hall/front-door/set/tablet"
    sent = subprocess.run(
        tool(chaos_home, files, "mosquitto_pub", "-q", "1", "-t", topic, "-m", wish), capture_output=True, check=False
    )
    assert sent.returncode == 0, sent.stderr
    until(lambda: letters_about(chaos_home, command), "the letter", seconds=TOLD)
    assert member.act("hall/front-door", "lock").status == 200
    following = unlock(member)
    until(lambda: letters_about(chaos_home, following), "a later letter: the queue is drained", seconds=TOLD)
    (letter,) = letters_about(chaos_home, command)
    assert "executed" in text_of(letter)
    assert "unlocked" in str(letter["Subject"])
    assert member.act("hall/front-door", "lock").status == 200


def test_alerts_stopped_and_the_broker_killed_still_bring_exactly_one_letter(chaos_home: Demo, member: Client) -> None:
    chaos_home.supervise("stop", "alerts")
    command = unlock(member)
    broker = chaos_home.kill("broker")
    chaos_home.reborn("broker", broker)
    chaos_home.supervise("start", "alerts")
    until(lambda: letters_about(chaos_home, command), "the letter", seconds=TOLD)
    following = unlock(member) if member.act("hall/front-door", "lock").status == 200 else ""
    until(lambda: letters_about(chaos_home, following), "a later letter: the queue is drained", seconds=TOLD)
    assert len(letters_about(chaos_home, command)) == 1


def test_a_mail_server_that_was_down_gets_the_letter_when_it_is_back(chaos_home: Demo, member: Client) -> None:
    chaos_home.supervise("stop", "mailbox")
    command = unlock(member)
    master = chaos_home.client()
    assert master.call("GET", "/healthz").status == 200
    chaos_home.supervise("start", "mailbox")
    until(lambda: letters_about(chaos_home, command), "the letter", seconds=TOLD)
    assert len(letters_about(chaos_home, command)) == 1


def test_an_alert_service_that_is_away_is_said_and_stops_nobody(chaos_home: Demo, member: Client) -> None:
    chaos_home.supervise("stop", "alerts")
    try:
        assert member.act("hall/lamp", "on").status == 200
        assert member.call("GET", "/api/v1/audit").status == 503
    finally:
        chaos_home.supervise("start", "alerts")
    until(lambda: member.call("GET", "/api/v1/audit").status == 200, "the history is back")
