"""The line: one, that a shell reads as meant, and whose token no program is called with."""

import re
import shutil
import subprocess

from shared.words import join_line

TOKEN = "0123456789abcdef" * 2
LINE = join_line.line(host="hub.home.arpa", port=8443, sha256="ab" * 32, room="attic", token=TOKEN)


def test_it_is_one_line_that_a_shell_can_read() -> None:
    assert "\n" not in LINE
    for shell in ("dash", "bash"):
        assert subprocess.run([str(shutil.which(shell)), "-n", "-c", LINE], check=False).returncode == 0


def test_its_token_is_handed_to_what_the_shell_does_itself_and_to_nothing_else() -> None:
    assert re.findall(r"(\S+) (\S+) " + TOKEN, LINE) == [("printf", "%s")]
    assert LINE.count(TOKEN) == 1


def test_nothing_but_the_authority_is_fetched_unverified_and_it_is_checked_before_anything_else() -> None:
    parts = LINE.split("; ")
    fetched = [part for part in parts if part.startswith("$")]
    assert fetched == [
        "$blind https://hub.home.arpa:8443/join/ca.crt",
        "$sure ca.crt https://hub.home.arpa:8443/join/join.sh",
    ]
    checked = next(number for number, part in enumerate(parts) if "sha256sum -c" in part)
    assert parts.index(fetched[0]) < checked < parts.index(fetched[1])
