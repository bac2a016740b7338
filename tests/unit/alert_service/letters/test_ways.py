"""Further ways to be told: Apprise stands in by a fake of its few calls, and its absence is told with the next step."""

import sys
import types
from pathlib import Path

import pytest

from alert_service import config
from alert_service.config import WayConfig
from alert_service.letters import ways
from shared.mail import Letter, MailError
from shared.running.config import ConfigError

LETTER = Letter(to="phone", subject="Front door (hall) unlocked", text="x" * 5000, urgent=True)


class Library(types.ModuleType):
    """What is used of the library."""

    def __init__(self) -> None:
        super().__init__("apprise")
        self.sent: list[dict[str, str]] = []
        self.answer: bool | Exception = True
        library = self

        class NotifyType:
            INFO, WARNING = "info", "warning"

        class Apprise:
            def add(self, url: str) -> bool:
                return url.startswith("json://")

            def notify(self, **message: str) -> bool:
                library.sent.append(message)
                if isinstance(library.answer, Exception):
                    raise library.answer
                return library.answer

        self.NotifyType, self.Apprise = NotifyType, Apprise


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setitem(sys.modules, "apprise", made)
    return made


@pytest.fixture
def phone(tmp_path: Path) -> WayConfig:
    file = tmp_path / "phone.url"
    file.write_text("json://127.0.0.1:1/\n")
    file.chmod(0o600)
    return WayConfig(name="phone", kind="apprise", url_file=file)


async def test_a_letter_goes_out_as_a_short_message(library: Library, phone: WayConfig) -> None:
    (way,) = ways.further((phone,))
    await way.check()
    await way.send(LETTER)
    assert library.sent == [{"title": LETTER.subject, "body": "x" * 2000, "notify_type": "warning"}]


@pytest.mark.parametrize("answer", [False, RuntimeError("https://token@example.org")])
async def test_what_is_not_taken_is_tried_again_and_no_address_is_told(
    library: Library, phone: WayConfig, answer: bool | Exception
) -> None:
    library.answer = answer
    with pytest.raises(MailError) as caught:
        await ways.AppriseWay(phone).send(LETTER)
    assert not caught.value.answered
    assert "token" not in str(caught.value)


def test_an_address_that_nobody_knows_is_refused_without_printing_it(library: Library, phone: WayConfig) -> None:
    phone.url_file.write_text("nothing://secret")
    with pytest.raises(ConfigError, match=r"ways\.phone.*no address that Apprise knows") as caught:
        ways.further((phone,))
    assert "secret" not in str(caught.value)


def test_a_missing_library_is_told_with_the_next_step(phone: WayConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"pip install 'homesystem\[apprise\]'"):
        ways.further((phone,))


def test_everything_that_is_wrong_with_rules_and_ways_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "alerts.toml"
    path.write_text(
        f"""
database = "sqlite+aiosqlite:///{tmp_path}/a"
timezone = "Mars/Base"
[smtp]
host = "mail.example.org"
port = 25
sender = "home@example.org"
security = "none"
[listen]
port = 1
tls = {{ ca = "a", certificate = "b", key = "c" }}
[auth]
port = 2
[broker]
identity = "alerts"
tls = {{ ca = "a", certificate = "b", key = "c" }}
[history]
happenings_off = ["bathroom/*", "Hall / door"]
[[rules]]
name = "hush"
what = "device:*"
letter = false
[[ways]]
name = "mail"
kind = "apprise"
url_file = "{tmp_path}/absent"
"""
    )
    with pytest.raises(ConfigError) as caught:
        config.read(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    for line, word in zip(
        lines, ("starttls", "Mars/Base", "Hall / door", '"hush"', "another name", "url_file|absent"), strict=True
    ):
        assert any(part in line for part in word.split("|")), line
    path.write_text(path.read_text().replace("letter = false", "leter = false\noutcome = 'exectued'"))
    with pytest.raises(ConfigError) as caught:
        config.read(path)
    assert "did you mean `letter`?" in str(caught.value)
    assert "rules[0].outcome" in str(caught.value)
