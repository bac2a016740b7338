"""`homesystem init` as it is run: with a file of answers, at a terminal, and killed at every write."""

import asyncio
import functools
import io
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.folder import home as homes
from deploy.folder import unfinished
from deploy.founding import command, creating
from deploy.founding.answers import Answers, Mail
from deploy.pki import reading
from shared.running.config import ConfigError
from shared.words.problem import HomeError
from tests import killed, thrifty_home, warm
from tests.claimed import free_port
from tests.house import DEADLINE, SmtpSink

PASSWORD = "correct horse battery"
EMAIL = "ada@example.org"


def environment(var: Path) -> dict[str, str]:
    ports = {f"HOMESYSTEM_{name}_PORT": str(free_port()) for name in ("HTTPS", "MQTT", "AUTH", "ALERTS")}
    return os.environ | ports | {"HOMESYSTEM_VAR": str(var), "SUDO_USER": ""}


def answers_file(folder: Path, sink: SmtpSink, *, more: str = "") -> Path:
    (folder / "password").touch(0o600)
    (folder / "password").write_text(PASSWORD + "\n")
    path = folder / "answers.toml"
    path.write_text(
        f'name = "hub.home.arpa"\ntimezone = "Europe/Berlin"\n'
        f'[owner]\nemail = "{EMAIL}"\nname = "Ada"\npassword_file = "password"\n'
        f'[mail]\nhost = "127.0.0.1"\nport = {sink.port}\n{more}'
    )
    return path


def init(var: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """At a terminal it begins cold."""
    command = [sys.executable, "-m", "deploy", "init", *arguments]
    return warm.run(command, env=environment(var), cwd=homes.ROOT, stdin=subprocess.DEVNULL)


def users(var: Path) -> list[tuple[str, str]]:
    async def read() -> list[tuple[str, str]]:
        async with accounts.opened(auth_config.read(homes.find(var).config("auth"))) as book:
            return [(row.user.email, row.user.role.value) for row in await book.list_users()]

    return asyncio.run(read())


def test_a_file_of_answers_makes_a_home_and_says_what_is_next(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    var = tmp_path / "var"
    done = init(var, "--answers", answers_file(tmp_path, smtp_sink))
    assert done.returncode == 0, done.stderr
    (letter,) = smtp_sink.wait_for(1, to=EMAIL)
    assert letter["Subject"] == "Home System: letters leave"
    assert smtp_sink.greetings == ["hub.home.arpa"]
    assert f"HOMESYSTEM_VAR={var} homesystem up" in done.stdout
    assert "homesystem authority > web-ca.crt" in done.stdout
    home = homes.find(var)
    assert (home.settings.name, home.settings.timezone) == ("hub.home.arpa", "Europe/Berlin")
    assert users(var) == [(EMAIL, "master")]
    assert not (var / unfinished.NAME).exists()
    again = init(var, "--answers", answers_file(tmp_path, smtp_sink))
    assert again.returncode == 78
    assert "there is a home here already" in again.stderr
    assert len(smtp_sink.letters) == 1


def test_where_the_units_look_it_is_started_by_them(tmp_path: Path) -> None:
    home = homes.Home(creating.INSTALLED, homes.Settings(name="hub.home.arpa"))
    assert creating.next_steps(home)[1] == "  sudo systemctl enable --now homesystem.target"
    assert "  sudo homesystem doctor" in creating.next_steps(home)


def test_a_mail_server_that_refuses_is_quoted_and_nothing_is_written(tmp_path: Path, smtp_sink: SmtpSink) -> None:
    smtp_sink.refused.add(EMAIL)
    var = tmp_path / "var"
    tried = init(var, "--answers", answers_file(tmp_path, smtp_sink))
    assert tried.returncode == 78
    assert f"<{EMAIL}>: no such mailbox here" in tried.stderr
    assert "letter = false" in tried.stderr
    assert not var.exists()
    done = init(var, "--answers", answers_file(tmp_path, smtp_sink, more="letter = false\n"))
    assert done.returncode == 0, done.stderr
    assert "Nobody can sign in until letters leave" in " ".join(done.stdout.split())


def test_without_a_terminal_the_way_by_a_file_is_named(tmp_path: Path) -> None:
    tried = init(tmp_path / "var")
    assert tried.returncode == 1
    assert "homesystem init --answers FILE" in tried.stderr
    assert not (tmp_path / "var").exists()


def test_at_a_terminal_wrong_answers_are_asked_for_again_and_secrets_are_not_shown(
    tmp_path: Path, smtp_sink: SmtpSink
) -> None:
    smtp_sink.refused.add(EMAIL)
    var = tmp_path / "var"
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(homes.ROOT)
        os.execve(sys.executable, [sys.executable, "-m", "deploy", "init"], environment(var) | {"COLUMNS": "250"})
    seen, transcript = bytearray(), bytearray()

    def wait_for(text: str) -> None:
        end = time.monotonic() + DEADLINE
        mark = text.encode()
        while mark not in seen:
            assert time.monotonic() < end, f"never asked {text!r}: {seen.decode(errors='replace')}"
            if select.select([terminal], [], [], 0.2)[0]:
                came = os.read(terminal, 4096)
                seen.extend(came)
                transcript.extend(came)
        del seen[: seen.index(mark) + len(mark)]

    def answer(question: str, typed: str) -> None:
        wait_for(question)
        wait_for(": ")
        os.write(terminal, typed.encode() + b"\n")

    answer("The hub's name", "hub.home.arpa")
    answer("all the same", "yes")
    answer("Time zone", "Europe/Berln")
    wait_for("Did you mean Europe/Berlin")
    answer("Time zone", "Europe/Berlin")
    answer("Your e-mail address", EMAIL)
    answer("Your name", "Ada")
    answer("A password", "password1")
    wait_for("tried first")
    answer("A password", PASSWORD)
    answer("The same again", PASSWORD)
    answer("Mail server", f"127.0.0.1:{smtp_sink.port}")
    wait_for("no such mailbox here")
    smtp_sink.refused.clear()
    answer("Go on without letters", "no")
    assert not var.exists()
    answer("Mail server", "")
    wait_for("The mail server took it")
    wait_for("homesystem doctor")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert PASSWORD.encode() not in transcript
    assert users(var) == [(EMAIL, "master")]


@pytest.mark.parametrize("first", ["keys", "accounts"])
def test_what_is_left_of_a_home_is_never_taken_for_a_beginning(tmp_path: Path, smtp_sink: SmtpSink, first: str) -> None:
    kept = tmp_path / "var" / {"keys": "pki/ca/device-ca.key", "accounts": "data/auth.sqlite3"}[first]
    kept.parent.mkdir(parents=True)
    kept.write_text("precious")
    tried = init(tmp_path / "var", "--answers", answers_file(tmp_path, smtp_sink))
    assert tried.returncode == 78
    assert "bring that back from a backup" in tried.stderr
    assert kept.read_text() == "precious"


def found(name: str) -> Answers:
    mail = Mail(host="localhost", port=25, security="none", user=None, password=None, sender="Home <home@example.org>")
    return Answers(name=name, timezone="UTC", email=f"ada@{name}", person="Ada", password=PASSWORD, mail=mail, ports={})


def create(var: Path, name: str) -> None:
    creating.create(var, found(name))


@functools.cache
def writes() -> int:
    """How many writes the making of a home takes."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder) / "var"
        code, count = killed.at_write(lambda: create(var, "first.example.org"), var, 0)
    assert code == 0
    assert count > 50
    return count


@pytest.mark.parametrize("part", [n / 24 for n in range(25)])
def test_a_home_whose_making_was_killed_is_made_by_the_next_try_with_its_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: float
) -> None:
    monkeypatch.setattr(homes, "render", thrifty_home.render)
    var = tmp_path / "var"
    code, _ = killed.at_write(lambda: create(var, "first.example.org"), var, 1 + round(part * (writes() - 1)))
    assert code == -signal.SIGKILL
    with pytest.raises(ConfigError, match="no home here"):
        homes.find(var)
    create(var, "second.example.org")
    assert homes.find(var).settings.name == "second.example.org"
    assert users(var) == [("ada@second.example.org", "master")]
    assert not re.search(r"first\.example", "".join(path.read_text() for path in var.glob("*.toml")))
    authority = reading.certificate(var / "pki" / "web-ca.crt")
    assert "second.example.org" in str(authority.extensions)
    assert "first.example.org" not in str(authority.extensions)
    assert stat.S_IMODE((var / "secrets").stat().st_mode) == 0o700


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_left_by_ctrl_c_in_the_making_it_says_that_there_is_no_home_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, smtp_sink: SmtpSink, part: float
) -> None:
    monkeypatch.setattr(homes, "render", thrifty_home.render)
    var, said = tmp_path / "var", tmp_path / "said"
    file = answers_file(tmp_path, smtp_sink, more="letter = false\n")

    def make() -> None:
        try:
            command.run(var, Console(file=io.StringIO()), file)
        except HomeError as error:
            said.write_text(error.detail)
            raise

    code, _ = killed.at_write(make, var, 1 + round(part * (writes() - 1)), by=signal.SIGINT)
    assert code == 1
    assert said.read_text() == f"Left before its end: there is no home in {var} yet. `homesystem init` begins anew."
    with pytest.raises(ConfigError, match="no home here"):
        homes.find(var)
    command.run(var, Console(file=io.StringIO()), file)
    assert users(var) == [(EMAIL, "master")]
