"""Changing one value in the owner's file: that value and not a character besides, or nothing and a word about it."""

import stat
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.names import editing
from shared.running.config import ConfigError

TEXT = """# the owner's words
host = "elsewhere"   # not this one
ports = [1, 2]

[letters]  # here
host = "old.local"\t# mine
alone = 3
[letters.further]
host = "old.local"
[[ways]]
host = "old.local"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "alerts.toml"
    made.write_text(TEXT)
    made.chmod(0o640)
    return made


def test_only_the_named_value_changes(path: Path) -> None:
    assert editing.replace(path, "letters.host", "old.local", "new.local")
    assert path.read_text() == TEXT.replace('host = "old.local"\t# mine', 'host = "new.local"\t# mine')
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("place", ["letters.host", "host", "letters.name", "smtp.greeting", "ports.x"])
def test_what_says_something_else_is_left_alone(path: Path, place: str) -> None:
    assert not editing.replace(path, place, "another.local", "new.local")
    assert path.read_text() == TEXT


@pytest.mark.parametrize(
    "written",
    [
        'letters = {host = "old.local"}\n',
        'letters.host = "old.local"\n',
        "[letters]\nhost = 'old.local'\n",
        '[letters]\nhost = """old.local"""\n',
        '[letters]\n"host" = "old.local"\n',
        '["letters"]\nhost = "old.local"\n',
    ],
)
def test_what_is_written_in_another_way_is_named_and_left_alone(path: Path, written: str) -> None:
    path.write_text(written)
    with pytest.raises(ConfigError, match=r'alerts\.toml: write host = "new\.local" yourself under \[letters\]'):
        editing.replace(path, "letters.host", "old.local", "new.local")
    assert path.read_text() == written


def test_several_values_change_at_once_and_new_ones_come_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "home.toml"
    path.write_text('# told\nname = "old"\nformer_names = ["x"]\nport = 8443')
    editing.change(path, {"name": "new", "former_names": ["old"], "former_broker_names": ["old", "x"]})
    assert path.read_text() == (
        '# told\nname = "new"\nformer_names = ["old"]\nport = 8443\nformer_broker_names = ["old","x"]\n'
    )


def test_a_file_that_is_no_toml_is_named(path: Path) -> None:
    path.write_text("host = \n")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        editing.replace(path, "host", "a", "b")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    return tmp_path_factory


words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc"]), max_size=12)


@settings(deadline=None)
@given(words, words, st.lists(words, max_size=3))
def test_whatever_the_value_the_rest_stays(
    tmp_path_factory: pytest.TempPathFactory, old: str, new: str, more: list[str]
) -> None:
    path = tmp_path_factory.mktemp("edit") / "a.toml"
    lines = [f"k{n} = {msgspec.json.encode(value).decode()}" for n, value in enumerate(more)]
    path.write_text("\n".join(["[t]", *lines, f"host = {msgspec.json.encode(old).decode()} # {len(more)}", ""]))
    before = tomllib.loads(path.read_text())
    try:
        assert editing.replace(path, "t.host", old, new)
    except ConfigError:
        assert tomllib.loads(path.read_text()) == before
    else:
        assert tomllib.loads(path.read_text()) == {"t": before["t"] | {"host": new}}
