"""Paths in a configuration, and where it is looked for."""

from pathlib import Path

import pytest

from shared.running.config import Config, ConfigError, file_of, load


class Places(Config, frozen=True):
    """A configuration of paths."""

    one: Path
    other: Path | None = None


def test_path_is_read_from_text(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('one = "/srv/home"\nother = "b/c"\n')
    assert load(Places, tmp_path / "a.toml", {}) == Places(one=Path("/srv/home"), other=Path("b/c"))


@pytest.mark.parametrize("text", ["one = 5", 'one = ""', 'one = ["a"]'])
def test_what_is_no_path_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ConfigError, match="one: Expected a path"):
        load(Places, tmp_path / "a.toml", {})


def test_configuration_is_looked_for_in_the_homes_folder() -> None:
    assert file_of("auth", {"HOMESYSTEM_VAR": "/srv/home"}) == Path("/srv/home/auth.toml")
    assert file_of("auth", {}) == Path("var/auth.toml")
