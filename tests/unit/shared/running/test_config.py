"""Configuration: a mistake is refused with its place and its remedy, and the environment overrides what it may."""

import enum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from shared.running.config import Config, ConfigError, check_database, env, load, read_secret


class Colour(enum.StrEnum):
    RED = "red"
    GREEN = "green"


class Lamp(Config, frozen=True):
    id: str
    watts: int = 5
    colour: Colour = Colour.RED
    wired: Literal["up", "down"] | None = None
    pins: tuple[int, int] | None = None


class Https(Config, frozen=True):
    port: Annotated[int, env("TEST_PORT"), msgspec.Meta(ge=1, le=65535)]
    names: tuple[str, ...] = ()


class Auth(Config, frozen=True):
    port: Annotated[int, env("TEST_AUTH_PORT")] = 1


class House(Config, frozen=True):
    name: str
    https: Https
    lamps: Annotated[tuple[Lamp, ...], msgspec.Meta(max_length=12)] = ()
    auth: Auth = Auth()
    spare: Auth | None = None
    limits: dict[str, str] = msgspec.field(default_factory=dict)
    mixed: int | list[str] = 0
    rooms: dict[Colour, Lamp] = msgspec.field(default_factory=dict)


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
        (GOOD + '[[lamps]]\nid = "a"\ncolour = "blue"\n', "Invalid enum value 'blue'; it may be red, green"),
        (GOOD + '[[lamps]]\nid = "a"\nwired = "no"\n', "Invalid enum value 'no'; it may be up, down"),
        (GOOD + '[[lamps]]\nid = "a"\npins = [1, 2, 3]\n', "lamps[0].pins: Expected `array` of length 2, got 3"),
        (GOOD + '[[lamps]]\nid = "a"\npins = [1, "2"]\n', "lamps[0].pins[1]: Expected `int`, got `str`"),
        (GOOD + "[limits]\nlogin = 5\n", "limits.login: Expected `str`, got `int`"),
        (GOOD + "[lamps]\nid = 5\n", "lamps: Expected `array`, got `object`"),
        (GOOD + '[rooms.blue]\nid = "a"\n', "rooms.blue: Invalid enum value 'blue'; it may be red, green"),
        (GOOD + "[rooms.red]\nid = 5\n", "rooms.red.id: Expected `str`, got `int`"),
        ("mixed = 1.5\n" + GOOD, "mixed: Expected `int | array`, got `float`"),
        ("mixed = [5]\n" + GOOD, "mixed[0]: Expected `str`, got `int`"),
        ("name = ", "is not valid TOML"),
        ("name = 'x'\nname = 'y'", "is not valid TOML"),
    ],
)
def test_a_mistake_is_refused_with_its_place(path: Path, text: str, told: str) -> None:
    refused = refusal(path, text)
    assert refused.startswith(f"{path}: ")
    assert told in refused


def test_everything_that_is_wrong_is_told_at_once_and_sorted_by_place(path: Path) -> None:
    lamps = ['[[lamps]]\nid = "a"\n'] * 11
    lamps[2] = '[[lamps]]\nwats = 5\npins = ["1", "2"]\n'
    lamps[10] = '[[lamps]]\nid = 5\nwatts = "5"\ncolour = "blue"\n'
    text = 'nam = "x"\nname = 5\n[https]\nport = 70000\nnames = ["a", 5, "b", 6]\n' + "".join(lamps)
    told = refusal(path, text + "[limits]\nlogin = 5\n[spare]\nprt = 1\nport = true\n")
    assert told.splitlines() == [
        f"{path}: {line}"
        for line in (
            "https.names[1]: Expected `str`, got `int`",
            "https.names[3]: Expected `str`, got `int`",
            "https.port: Expected `int` <= 65535",
            "lamps[2]: Object missing required field `id`",
            "lamps[2].pins[0]: Expected `int`, got `str`",
            "lamps[2].pins[1]: Expected `int`, got `str`",
            "lamps[2].wats: there is no such setting; did you mean `watts`?",
            "lamps[10].colour: Invalid enum value 'blue'; it may be red, green",
            "lamps[10].id: Expected `str`, got `int`",
            "lamps[10].watts: Expected `int`, got `str`",
            "limits.login: Expected `str`, got `int`",
            "nam: there is no such setting; did you mean `name`?",
            "name: Expected `str`, got `int`",
            "spare.port: Expected `int`, got `bool`",
            "spare.prt: there is no such setting; did you mean `port`?",
        )
    ]


def test_all_that_is_missing_is_told(path: Path) -> None:
    told = refusal(path, "[https]\n")
    assert told.splitlines() == [
        f"{path}: top level: Object missing required field `name`",
        f"{path}: https: Object missing required field `port`",
    ]


def test_an_array_that_is_too_long_is_told_beside_what_is_wrong_in_it(path: Path) -> None:
    told = refusal(path, GOOD + "[[lamps]]\nid = 5\n" + '[[lamps]]\nid = "a"\n' * 12)
    assert told.splitlines() == [
        f"{path}: lamps: Expected `array` of length <= 12",
        f"{path}: lamps[0].id: Expected `str`, got `int`",
    ]


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
    both = refusal(path, GOOD.replace('"x"', "5"), TEST_PORT="http", TEST_AUTH_PORT="x").splitlines()
    assert [line.partition(" ")[2].partition(":")[0] for line in both] == [
        "TEST_PORT='http'",
        "TEST_AUTH_PORT='x'",
        "name",
    ]


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


def test_a_path_may_be_overridden_too(path: Path) -> None:
    class Door(Config, frozen=True):
        socket: Annotated[Path, env("TEST_SOCKET")] = Path("/usual")

    path.write_text("")
    assert load(Door, path, {}).socket == Path("/usual")
    assert load(Door, path, {"TEST_SOCKET": "/other"}).socket == Path("/other")
