"""The line: one, that a shell reads as meant, and whose token no program is called with."""

import re
import shutil
import subprocess

import pytest

from shared.words import join_line

TOKEN = "0123456789abcdef" * 2
LINE = join_line.line(host="hub.home.arpa", port=8443, sha256="ab" * 32, name="attic", token=TOKEN)
CLIENTS = join_line.client_line(host="hub.home.arpa", port=8443, sha256="ab" * 32, name="phone", token=TOKEN)
of_each = pytest.mark.parametrize("line", [LINE, CLIENTS], ids=["room", "client"])


@of_each
def test_it_is_one_line_that_a_shell_can_read(line: str) -> None:
    assert "\n" not in line
    for shell in ("dash", "bash"):
        assert subprocess.run([str(shutil.which(shell)), "-n", "-c", line], check=False).returncode == 0


@of_each
def test_its_token_is_handed_to_what_the_shell_does_itself_and_to_nothing_else(line: str) -> None:
    assert re.findall(r"(\S+) (\S+) " + TOKEN, line) == [("printf", "%s")]
    assert line.count(TOKEN) == 1


def test_nothing_but_the_authority_is_fetched_unverified_and_it_is_checked_before_anything_else() -> None:
    parts = LINE.split("; ")
    fetched = [part for part in parts if part.startswith("$")]
    assert fetched == [
        "$blind https://hub.home.arpa:8443/join/ca.crt",
        "$sure ca.crt https://hub.home.arpa:8443/join/join.sh",
    ]
    checked = next(number for number, part in enumerate(parts) if "sha256sum -c" in part)
    assert parts.index(fetched[0]) < checked < parts.index(fetched[1])


def test_a_clients_begins_with_its_folder_and_asks_for_no_root_and_for_nothing_that_macos_has_not() -> None:
    assert CLIENTS.startswith('(to="$PWD/phone"; ')
    assert not re.search(r"sudo|wget|sha256sum|status|!", CLIENTS)
    parts = CLIENTS.split("; ")
    fetched = [part for part in parts if part.startswith("curl")]
    assert fetched == [
        "curl -sSfkO https://hub.home.arpa:8443/join/ca.crt",
        "curl -sSfO --cacert ca.crt https://hub.home.arpa:8443/join/client.sh",
    ]
    checked = next(number for number, part in enumerate(parts) if "openssl dgst" in part)
    assert parts.index(fetched[0]) < checked < parts.index(fetched[1])
