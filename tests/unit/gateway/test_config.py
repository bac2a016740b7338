"""gateway.toml: what an owner may write, and what is refused."""

from pathlib import Path

import pytest

from deploy.folder import home as homes
from gateway.config import HttpsConfig, load_config
from shared.running.config import ConfigError
from tests.house import make_home


def rendered(tmp_path: Path, **settings: object) -> Path:
    home = make_home(tmp_path, **settings)
    path = home.config("gateway")
    homes.render(home, "gateway", path)
    return path


def edit(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_the_template_makes_a_good_configuration(tmp_path: Path) -> None:
    config = load_config(rendered(tmp_path))
    assert config.broker.identity == "gateway"
    assert config.demo


def test_a_real_home_is_no_demo(tmp_path: Path) -> None:
    config = load_config(rendered(tmp_path, demo=False, name="home.example.org", host="192.0.2.1"))
    assert not config.demo


@pytest.mark.parametrize("host", ['"0.0.0.0"', '"::"', '["127.0.0.1", "::"]', '["127.0.0.1", "192.0.2.7"]'])
def test_a_demo_home_refuses_to_be_reached_from_outside(tmp_path: Path, host: str) -> None:
    path = rendered(tmp_path)
    path.write_text(path.read_text().replace('host = "127.0.0.1"', f"host = {host}", 1))
    with pytest.raises(ConfigError, match=r"must not be reached from (?!127).*expose_demo"):
        load_config(path)
    assert load_config(edit(path, "# expose_demo", "expose_demo")).expose_demo


def test_it_may_listen_on_several_addresses(tmp_path: Path) -> None:
    path = rendered(tmp_path)
    path.write_text(path.read_text().replace('host = "127.0.0.1"', 'host = ["127.0.0.1", "::1"]', 1))
    assert load_config(path).https.host == ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('host = "127.0.0.1"', "host = []", "https.host: Expected `array` of length >= 1"),
        ('host = "127.0.0.1"', "host = [1]", "https.host"),
        ("[limits]", '[limits]\nread = "1/day"', "did you mean `reads`"),
        ('timezone = "UTC"', 'timezone = "Mars/Base"', "timezone"),
        ("[cors]", '[counts]\nredis = "memcached://127.0.0.1"\n[cors]', "write it like"),
        ("origins = []", 'origins = ["*"]', "exact origin"),
        ("origins = []", 'origins = ["http://panel.example.org"]', "exact origin"),
        ("origins = []", 'origins = ["https://panel.example.org/"]', "exact origin"),
        (
            "origins = []",
            'origins = ["https://Panel.example.org"]',
            "as 'https://panel.example.org'; write it like that",
        ),
        ("origins = []", 'origins = ["https://panel.example.org:443"]', "as 'https://panel.example.org'"),
    ],
)
def test_a_typo_is_refused_with_its_path(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = edit(rendered(tmp_path), old, new)
    with pytest.raises(ConfigError, match=says):
        load_config(path)


def test_the_standard_port_is_not_part_of_an_origin() -> None:
    https = HttpsConfig(certificate=Path("c"), key=Path("k"), names=("home.example.org",), port=443)
    assert https.own_origins == {"https://home.example.org"}
