"""Wheels, unpacked: modules in their place, nothing beside them, nothing outside, nothing twice."""

import zipfile
from pathlib import Path

import pytest

from deploy.debs import locks, programs
from deploy.debs.targets import ARCHITECTURES, SUITES, Target


def wheel(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, f"{path.name}: {name}")
    return path


def test_modules_are_put_in_their_place_and_scripts_and_headers_are_not(tmp_path: Path) -> None:
    names = ("one/__init__.py", "one-1.dist-info/RECORD", "one-1.data/", "one-1.data/headers/one.h")
    made = wheel(tmp_path / "one.whl", *names, "one-1.data/scripts/one", "one-1.data/purelib/extra.py")
    programs.unpack([made], site := tmp_path / "site")
    files = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    assert files == {"one/__init__.py", "one-1.dist-info/RECORD", "extra.py"}


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", "one-1.data/purelib/../../outside.py"])
def test_a_wheel_that_would_write_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        programs.unpack([wheel(tmp_path / "one.whl", name)], tmp_path / "site")
    assert not list(tmp_path.rglob("outside.py"))


def test_two_wheels_with_one_file_are_refused(tmp_path: Path) -> None:
    pair = [wheel(tmp_path / f"{name}.whl", "same.py") for name in ("one", "two")]
    with pytest.raises(ValueError, match=r"two\.whl and one\.whl"):
        programs.unpack(pair, tmp_path / "site")


def test_what_was_fetched_is_not_fetched_again_and_half_of_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def pip(target: Target, requirements: Path, folder: Path) -> None:
        asked.append(requirements.read_text())
        wheel(folder / "a.whl", "a.py")
        if len(asked) == 1:
            raise programs.UnavailableError("the network went")

    monkeypatch.setattr(programs, "_pip", pip)
    pins, target = locks.read("a==1 --hash=sha256:aa"), Target(SUITES[0], ARCHITECTURES[0])
    with pytest.raises(programs.UnavailableError):
        programs.fetch(pins, target, tmp_path)
    first = programs.fetch(pins, target, tmp_path)
    assert [path.name for path in first] == ["a.whl"]
    assert programs.fetch(pins, target, tmp_path) == first
    assert asked == ["a==1 --hash=sha256:aa\n"] * 2
