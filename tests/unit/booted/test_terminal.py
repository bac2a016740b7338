"""A person at a terminal: answers prompts, sees the exit code, waits no longer than told."""

import sys

from tests.booted.terminal import Answer, converse

ASKS = "import getpass; n = input('Name: '); p = getpass.getpass('Password: '); q = getpass.getpass('Again: ')"


def test_prompts_are_answered_in_turn_also_those_that_want_a_terminal() -> None:
    script = f"{ASKS}; print(n, p == q, len(p)); raise SystemExit(3)"
    answers = [Answer("Name", "me"), Answer("Password|Again", "secret", "(a password)")]
    said = converse([sys.executable, "-c", script], answers, 20.0)
    assert said.code == 3
    assert said.typed == ("me", "(a password)", "(a password)")
    assert "me True 6" in said.text
    assert "secret" not in said.text


def test_what_does_not_end_in_time_has_no_code() -> None:
    said = converse([sys.executable, "-c", "input('Never answered: ')"], [], 1.0)
    assert said.code is None
    assert "Never answered" in said.text


def test_colours_are_left_out() -> None:
    assert converse(["printf", "\\033[1;31mred\\033[0m\\n"], [], 20.0).text == "red\n"
