"""The doctor knows a Mosquitto that will not do."""

from pathlib import Path

import pytest

from deploy.examining import check_broker


def program(folder: Path, said: str, *, tls: str = "# libssl.so.3") -> str:
    path = folder / "mosquitto"
    path.write_text(f"#!/bin/sh\n{tls}\ncat <<'END'\n{said}\nEND\nexit 3\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("said", "tls", "text"),
    [
        ("mosquitto version 2.0.10\n", "# libssl.so.3", "Mosquitto 2.0.10 is too old; 2.0.11 or newer"),
        ("mosquitto version 1.6.12\n", "# libssl.so.3", "too old"),
        ("mosquitto version 2.0.21\n", "#", "built without TLS"),
        ("something else\n", "# libssl.so.3", "does not say its version"),
    ],
)
def test_what_will_not_do_is_named_with_the_step(tmp_path: Path, said: str, tls: str, text: str) -> None:
    (found,) = check_broker._installed(program(tmp_path, said, tls=tls))
    assert found.fine is False
    assert text in found.text
    assert found.step == "sudo apt install mosquitto"


@pytest.mark.parametrize("version", ["2.0.11", "2.0.21", "2.1.2", "2.10.0", "10.0.0"])
def test_what_will_do(tmp_path: Path, version: str) -> None:
    (found,) = check_broker._installed(program(tmp_path, f"mosquitto version {version}\n"))
    assert found.fine
