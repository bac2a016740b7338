"""The template gives a configuration that the service takes, and what is wrong with one is said."""

from pathlib import Path

import pytest

from auth_service import config
from auth_service.__main__ import main
from deploy.folder import home as homes
from shared.running.config import EX_CONFIG, ConfigError

SETTINGS = homes.Settings(mqtt_port=8883, smtp_port=2525, auth_port=8444)


def rendered(tmp_path: Path, settings: homes.Settings = SETTINGS) -> Path:
    """auth.toml as `homesystem init` writes it."""
    path = tmp_path / "auth.toml"
    homes.render(homes.Home(Path("/srv/home"), settings), "auth", path)
    return path


def test_rendered_template_is_taken(tmp_path: Path) -> None:
    read = config.read(rendered(tmp_path))
    assert read.database == "sqlite+aiosqlite:////srv/home/data/auth.sqlite3"
    assert (read.listen.port, read.broker.port, read.broker.identity) == (8444, 8883, "auth")
    assert (read.smtp.security, read.smtp.user) == ("none", None)
    assert read.sessions == config.Sessions(idle_hours=12, absolute_days=7)


def test_rendered_template_knows_a_mail_account(tmp_path: Path) -> None:
    settings = homes.Settings(
        smtp_host="mail.example.org", smtp_port=587, smtp_security="starttls", smtp_user="home@example.org"
    )
    smtp = config.read(rendered(tmp_path, settings)).smtp
    assert (smtp.host, smtp.user, smtp.security) == ("mail.example.org", "home@example.org", "starttls")
    assert smtp.password_file == Path("/srv/home/secrets/smtp-password")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("idle_hours", "idle_hour", "sessions.idle_hour: there is no such setting; did you mean `idle_hours`?"),
        ("sqlite+aiosqlite", "mysql", "database"),
        ("bcrypt_rounds = 12", "bcrypt_rounds = 4", "passwords.bcrypt_rounds"),
        ('host = "127.0.0.1"\nport = 2525', 'host = "mail.example.org"\nport = 2525', "smtp.security"),
    ],
)
def test_mistake_is_refused_with_its_place(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    path = rendered(tmp_path)
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong))
    with pytest.raises(ConfigError) as refusal:
        config.read(path)
    assert str(path) in str(refusal.value)
    assert said in str(refusal.value)


def test_check_config_says_fine_or_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(rendered(tmp_path)), "--check-config"]) == 0
    assert "fine" in capsys.readouterr().out
    assert main(["--config", str(tmp_path / "none.toml"), "--check-config"]) == EX_CONFIG
    assert "homesystem init" in capsys.readouterr().err
