"""The template gives a configuration that the service takes, and what is wrong with one is said."""

from pathlib import Path

import jinja2
import pytest

from auth_service import config
from auth_service.__main__ import main
from shared.config import EX_CONFIG, ConfigError

TEMPLATE = Path("deploy/templates/auth.toml.j2")
VALUES = {
    "var": "/srv/home",
    "host": "127.0.0.1",
    "name": "localhost",
    "https_port": 8443,
    "mqtt_port": 8883,
    "smtp_port": 2525,
    "auth_port": 8444,
    "alerts_port": 8445,
    "timezone": "UTC",
}


def rendered(tmp_path: Path, *, demo: bool) -> Path:
    """auth.toml as `homesystem init` writes it."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    path = tmp_path / "auth.toml"
    path.write_text(environment.from_string(TEMPLATE.read_text()).render(VALUES, demo=demo))
    return path


@pytest.mark.parametrize("demo", [True, False])
def test_rendered_template_is_taken(tmp_path: Path, demo: bool) -> None:
    read = config.read(rendered(tmp_path, demo=demo))
    assert read.database == "sqlite+aiosqlite:////srv/home/data/auth.sqlite3"
    assert (read.listen.port, read.broker.port, read.broker.identity) == (8444, 8883, "auth")
    assert read.smtp.security == ("none" if demo else "starttls")
    assert read.sessions == config.Sessions(idle_hours=12, absolute_days=7)


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
    path = rendered(tmp_path, demo=True)
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong))
    with pytest.raises(ConfigError) as refusal:
        config.read(path)
    assert str(path) in str(refusal.value)
    assert said in str(refusal.value)


def test_check_config_says_fine_or_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(rendered(tmp_path, demo=True)), "--check-config"]) == 0
    assert "fine" in capsys.readouterr().out
    assert main(["--config", str(tmp_path / "none.toml"), "--check-config"]) == EX_CONFIG
    assert "homesystem init" in capsys.readouterr().err
