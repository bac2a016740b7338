"""A room's own files are on the card once they are placed: where they came from is deleted then."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILES = ("ca.crt", "room.crt", "room.key", "room.toml")
PROGRAMS = {
    "runuser": 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"',
    "systemctl": "exit 0",
    "openssl": "exit 0",
    # Whether the file is under its name already, when it is written out.
    "sync": 'for path; do if [ -e "${path%.new}" ]; then echo "late $path"; else echo "$path"; fi >>"$SYNCED"; done',
}


def test_each_file_is_on_the_card_before_it_has_its_name_and_that_too_when_it_is_done(tmp_path: Path) -> None:
    home, folder, programs, synced = (tmp_path / name for name in ("home", "folder", "programs", "synced"))
    for made in (home, folder, programs):
        made.mkdir()
    for name in FILES:
        (folder / name).write_text(name)
    for name, text in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    script = tmp_path / "place-room.sh"
    text = (ROOT / "deploy" / "place-room.sh").read_text()
    script.write_text(text.replace("home=/var/lib/homesystem", f"home={home}"))
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "SYNCED": str(synced)}
    subprocess.run(["sh", script, "--start", "hall", folder], env=environment, check=True)
    places = {name: home / "pki" / "hall" / name for name in FILES} | {"room.toml": home / "agents" / "hall.toml"}
    assert {name: path.read_text() for name, path in places.items()} == {name: name for name in FILES}
    told = synced.read_text().splitlines()
    for path in places.values():
        at = told.index(f"{path}.new")
        assert told[at + 1] == f"late {path.parent}"
