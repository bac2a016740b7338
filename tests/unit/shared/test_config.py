"""Configuration: a mistake is refused with its place and its remedy, and the environment overrides what it may."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from shared.config import Config, ConfigError, check_database, env, load, read_secret


class Lamp(Config, frozen=True):
    id: str
    watts: int = 5


class Https(Config, frozen=True):
    port: Annotated[int, env("TEST_PORT"), msgspec.Meta(ge=1, le=65535)]
    names: tuple[str, ...] = ()


class Auth(Config, frozen=True):
    port: Annotated[int, env("TEST_AUTH_PORT")] = 1


class House(Config, frozen=True):
    name: str
    https: Https
    lamps: tuple[Lamp, ...] = ()
    auth: Auth = Auth()
    spare: Auth | None = None
    limits: dict[str, str] = msgspec.field(default_factory=dict)


GOOD = 'name = "x"\n[https]\nport = 8443\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "house.toml"


def read(path: Path, text: str, **environment: str) -> House:
    path.write_text(text)
    return load(House, path, environment)


def refusal(path: Path, text: str, **environment: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, text, **environment)
    return str(caught.value)


def test_a_file_becomes_a_struct(path: Path) -> None:
    lamps = '[[lamps]]\nid = "a"\n[[lamps]]\nid = "b"\nwatts = 7\n'
    assert read(path, GOOD + lamps) == House(
        name="x", https=Https(port=8443), lamps=(Lamp(id="a"), Lamp(id="b", watts=7))
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('nam = "x"\n[https]\nport = 1\n', "nam: there is no such setting; did you mean `name`?"),
        (GOOD + "prot = 5\n", "https.prot: there is no such setting; did you mean `port`?"),
        (GOOD + '[[lamps]]\nid = "a"\nwats = 5\n', "wats: there is no such setting; did you mean `watts`?"),
        (GOOD + "[auth]\nprt = 5\n", "auth.prt: there is no such setting; did you mean `port`?"),
        (GOOD + "[spare]\nprt = 5\n", "spare.prt: there is no such setting; did you mean `port`?"),
        (GOOD + "[zzz]\nx = 1\n", "zzz: there is no such setting"),
        ("name = 5\n[https]\nport = 1\n", "name: Expected `str`, got `int`"),
        ('name = "x"\n[https]\nport = "1"\n', "https.port: Expected `int`, got `str`"),
        ('name = "x"\n[https]\nport = 70000\n', "https.port: Expected `int` <= 65535"),
        ('name = "x"\n[https]\nport = true\n', "https.port: Expected `int`, got `bool`"),
        ('name = "x"\n', "top level: Object missing required field `https`"),
        ('name = "x"\nhttps = 5\n', "https: Expected `object`, got `int`"),
        (GOOD + "[[lamps]]\nwatts = 5\n", "lamps[0]: Object missing required field `id`"),
        ("name = ", "is not valid TOML"),
        ("name = 'x'\nname = 'y'", "is not valid TOML"),
    ],
)
def test_a_mistake_is_refused_with_its_place(path: Path, text: str, told: str) -> None:
    refused = refusal(path, text)
    assert refused.startswith(f"{path}: ")
    assert told in refused


def test_a_missing_file_says_what_makes_one(path: Path) -> None:
    with pytest.raises(ConfigError, match="homesystem init"):
        load(House, path, {})


def test_bytes_that_are_no_text_are_no_toml(path: Path) -> None:
    path.write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load(House, path, {})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(House, tmp_path, {})


def test_the_environment_overrides_single_values(path: Path) -> None:
    assert read(path, GOOD, TEST_PORT="9000").https.port == 9000
    assert read(path, 'name = "x"\n', TEST_PORT="9000").https.port == 9000
    assert read(path, GOOD, TEST_AUTH_PORT="7").auth.port == 7
    assert read(path, GOOD, TEST_PORT="").https.port == 8443


def test_an_override_that_does_not_fit_is_refused_with_its_name(path: Path) -> None:
    assert "environment: TEST_PORT='http'" in refusal(path, GOOD, TEST_PORT="http")
    assert "port" in refusal(path, GOOD, TEST_PORT="70000")


def test_what_is_not_named_is_not_overridden(path: Path) -> None:
    assert read(path, GOOD, NAME="y", PORT="1").name == "x"


def test_an_override_in_an_optional_table_does_not_conjure_it_up(path: Path) -> None:
    assert read(path, GOOD).spare is None


def test_free_tables_take_any_name(path: Path) -> None:
    assert read(path, GOOD + '[limits]\nlogin = "5/min"\n').limits == {"login": "5/min"}


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"s3cret \r\n")
    file.chmod(0o600)
    assert read_secret(file) == b"s3cret "


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"x")
    file.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret(file)


def test_a_secret_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="homesystem init"):
        read_secret(tmp_path / "none")
    file = tmp_path / "empty"
    file.touch(0o600)
    with pytest.raises(ConfigError, match="is empty"):
        read_secret(file)


def test_database_without_its_asynchronous_driver_is_refused() -> None:
    for url in ("sqlite+aiosqlite:////srv/home/auth.sqlite3", "postgresql+asyncpg://home@localhost/auth"):
        check_database(url)
    for url in ("mysql://localhost/auth", "sqlite:////srv/home/auth.sqlite3", "nonsense"):
        with pytest.raises(
            ConfigError, match=r'^database: begins with "(mysql|sqlite|nonsense)"; write sqlite\+aiosqlite'
        ):
            check_database(url)
