"""How an agent is called, and that it stays light: nothing is loaded that no room needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from device_agents.__main__ import USAGE, main, options_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--config", "hall.toml"], {"--config": "hall.toml"}),
        (["--config=hall.toml", "--check-config"], {"--config": "hall.toml", "--check-config": ""}),
        (["--check-config", "--config", "x"], {"--config": "x", "--check-config": ""}),
        (["--help"], {"--help": ""}),
    ],
)
def test_a_call_is_understood(words: list[str], options: dict[str, str]) -> None:
    assert options_of(words) == options


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ([], "--config is missing"),
        (["--check-config"], "--config is missing"),
        (["--config"], "option --config requires argument"),
        (["--config", "x", "hall"], "'hall' is not expected"),
        (["--room", "hall"], "option --room not recognized"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], wrong: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["device_agents", *words])
    assert main() == 2
    assert capsys.readouterr().err == f"{wrong}\n{USAGE}\n"


def test_help_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["device_agents", "--help"])
    assert main() == 0
    assert capsys.readouterr().out == f"{USAGE}\n"


def loaded(code: str) -> str:
    """What a new process prints."""
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return ran.stdout


def test_an_agent_loads_nothing_that_no_room_needs() -> None:
    """Each of these costs a part of an agent's 30 MB; where one comes back, see which import brought it."""
    heavy = {"argparse", "ast", "asyncio", "difflib", "email", "http.client", "inspect", "logging.handlers", "pickle"}
    heavy |= {"shutil", "tempfile", "typing_extensions"}
    if sys.version_info >= (3, 14):
        heavy -= {"ast", "inspect"}  # its own logging loads them, for colours in tracebacks
    assert heavy & set(loaded("import sys, device_agents.__main__; print(*sys.modules)").split()) == set()


def test_what_was_not_loaded_is_there_for_who_needs_it_after_all() -> None:
    code = (
        "import device_agents.__main__, paho.mqtt.client as paho, typing_extensions;"
        "print(paho.urllib.request.getproxies.__module__, typing_extensions.get_type_hints.__name__)"
    )
    assert loaded(code) == "urllib.request get_type_hints\n"
