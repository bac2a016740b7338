"""A package made anew of what dpkg knows of it: another dpkg installs it, with the same files and scripts."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.upgrading import packages
from deploy.upgrading.place import Place

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg")
CONTROL = """Package: home-system
Version: 1.5+deb12
Architecture: all
Maintainer: Nobody <nobody@home.arpa>
Installed-Size: 3
Description: a package
 Of several lines,
 .
 for a test.
"""


def dpkg(root: Path, *words: str) -> str:
    command = ["dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def tree(root: Path) -> dict[str, tuple[str, int]]:
    """Every file and link, with what it holds and its mode."""
    found = {}
    for path in sorted((root / "usr").rglob("*")):
        held = f"-> {path.readlink()}" if path.is_symlink() else path.read_text() if path.is_file() else "/"
        found[str(path.relative_to(root))] = (held, path.lstat().st_mode)
    return found


def test_what_was_installed_can_be_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, first, second, state = (tmp_path / name for name in ("source", "first", "second", "state"))
    for folder in (source / "DEBIAN", source / "usr/lib/homesystem", source / "usr/bin", state):
        folder.mkdir(parents=True, mode=0o755)
    (source / "usr/lib/homesystem/program").write_text("#!/bin/sh\n")
    (source / "usr/lib/homesystem/program").chmod(0o755)
    (source / "usr/bin/homesystem").symlink_to("../lib/homesystem/program")
    (source / "DEBIAN/control").write_text(CONTROL)
    (source / "DEBIAN/postinst").write_text('#!/bin/sh\necho configured >>"$DPKG_ROOT/configured"\n')
    (source / "DEBIAN/postinst").chmod(0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", source, tmp_path / "one.deb"], check=True)
    for root in (first, second):
        (root / "var/lib/dpkg/info").mkdir(parents=True)
        (root / "var/lib/dpkg/updates").mkdir()
        for name in ("status", "available"):
            (root / "var/lib/dpkg" / name).touch()
    dpkg(first, "-i", str(tmp_path / "one.deb"))
    (tmp_path / "bin").mkdir()
    query = tmp_path / "bin/dpkg-query"
    query.write_text(f'#!/bin/sh\nexec {shutil.which("dpkg-query")} --root={first} "$@"\n')
    query.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin")
    # dpkg names files by where they lie on the machine: here that is another root.
    monkeypatch.setattr(packages, "_at", lambda name: first / name.lstrip("/"))
    place = Place(kind="hub", package="home-system", code=tmp_path, state=state)
    packages.repack(place)
    assert not (state / "repacking").exists()
    dpkg(second, "-i", str(packages.former(place)))
    assert tree(second) == tree(first)
    assert "Version: 1.5+deb12" in dpkg(second, "-s", "home-system")
    assert (second / "configured").read_text() == "configured\n"
