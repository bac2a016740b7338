"""Compiled templates are kept for the next start, and taken only from a folder and a file that nobody else touched."""

from pathlib import Path

import jinja2
import pytest

from gateway.pages import render
from gateway.pages.compiled import Compiled

CODE = bytes(range(200))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def test_what_was_kept_is_found_by_the_next_start(folder: Path) -> None:
    Compiled(folder).write("a1", CODE)
    assert Compiled(folder).read("a1") == CODE
    assert Compiled(folder).read("b2") is None
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("spoilt", [b"", CODE, CODE[:31]])
def test_a_file_that_is_not_whole_is_not_taken(folder: Path, spoilt: bytes) -> None:
    Compiled(folder).write("a1", CODE)
    (folder / "a1").write_bytes(spoilt)
    assert Compiled(folder).read("a1") is None


def test_a_single_bit_is_enough(folder: Path) -> None:
    Compiled(folder).write("a1", CODE)
    whole = (folder / "a1").read_bytes()
    for at in range(0, len(whole), 17):
        (folder / "a1").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert Compiled(folder).read("a1") is None


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_from_a_folder_that_others_may_write_to_nothing_is_taken(folder: Path, mode: int) -> None:
    Compiled(folder).write("a1", CODE)
    folder.chmod(mode)
    shared = Compiled(folder)
    assert shared.read("a1") is None
    shared.write("b2", CODE)
    assert not (folder / "b2").exists()


def test_a_folder_that_is_elsewhere_or_cannot_be_made_is_done_without(tmp_path: Path, folder: Path) -> None:
    folder.symlink_to(tmp_path)
    for place in (folder, tmp_path / "nowhere" / "kept", None):
        without = Compiled(place)
        without.write("a1", CODE)
        assert without.read("a1") is None
        without.forget_others()


def test_what_nobody_asks_for_any_more_goes(folder: Path) -> None:
    former = Compiled(folder)
    former.write("a1", CODE)
    former.write("b2", CODE)
    now = Compiled(folder)
    now.read("b2")
    now.forget_others()
    assert [path.name for path in folder.iterdir()] == ["b2"]


def test_a_template_that_is_kept_is_not_compiled_again_until_it_changes(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("{{ 1 + 1 }}")
    compiled: list[str] = []

    class Watched(jinja2.Environment):
        def compile(self, *given: object, **named: object) -> object:  # type: ignore[override]  # looks on
            compiled.append(str(given[0]))
            return super().compile(*given, **named)  # type: ignore[call-overload]

    def rendered() -> str:
        environment = Watched(
            loader=jinja2.FileSystemLoader(tmp_path), autoescape=True, bytecode_cache=render._Kept(Compiled(folder))
        )
        return environment.get_template("page.html").render()

    assert [rendered(), rendered()] == ["2", "2"]
    assert len(compiled) == 1
    page.write_text("{{ 1 + 2 }}")
    assert [rendered(), rendered()] == ["3", "3"]
    assert len(compiled) == 2
