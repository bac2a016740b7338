"""A home in containers: signed in to, commanded, killed, taken down and brought up; and each part with its own alone.

Needs a Docker engine and Compose on this machine, and root, whose are the processes of the containers from outside.
"""

import os
import socket
import subprocess
from collections.abc import Callable, Iterator

import docker
import pytest
from docker import DockerClient

from tests.demo import Client, text_of
from tests.house import until
from tests.integration import containers_parts
from tests.integration.containers_parts import PARTS, House

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerClient]:
    """Docker, with our images built; a skip says what is not there."""
    for words in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            subprocess.run(words, capture_output=True, text=True, check=True)
        except FileNotFoundError:
            pytest.skip("Docker is not installed")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"{' '.join(words)}: {error.stderr.strip().splitlines()[-1]}")
    client = docker.from_env()
    if client.info()["Name"] != socket.gethostname():
        pytest.skip("the Docker engine runs on another machine, which has none of our folders")
    if os.geteuid() != 0:
        pytest.skip("killing a container's process past Docker takes root")
    if (reason := containers_parts.build()) is not None:
        pytest.skip(reason)
    yield client
    client.close()


@pytest.fixture(scope="module", params=["", "postgresql"], ids=["sqlite", "postgresql"])
def house(
    engine: DockerClient, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[House]:
    """A home that was founded and runs, with a room and, as it may be, a PostgreSQL."""
    profiles = [request.param] if request.param else []
    made = House(tmp_path_factory.mktemp("house"), engine, *profiles)
    try:
        if profiles:
            made.docker("up", "-d", *profiles)
        made.found()
        made.up()
        made.join()
        yield made
    finally:
        made.end()


def switch(owner: Client, house: House, action: str) -> None:
    """A command that the room carries out, which its pin shows, and its own word."""

    def done() -> bool:
        answer = owner.act("hall/lamp", action)
        return answer.status == 200 and answer.body["outcome"] == "executed"

    until(done, f"the lamp is {action}")
    assert house.edges("hall", "lamp")[-1] == int(action == "on")
    assert owner.device("hall/lamp")["state"]["value"] == action


def test_a_home_lives_in_containers(house: House) -> None:
    for part in PARTS:
        told = house.inspect(part)
        assert told["HostConfig"]["ReadonlyRootfs"] is True
        assert told["HostConfig"]["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in told["HostConfig"]["SecurityOpt"]
        assert house.sh(part, "id -u").strip() == ("10002" if part == "signer" else "10001")
        assert "Read-only" in house.sh(part, "touch /usr/lib/homesystem/x")

    owner = house.enter()
    switch(owner, house, "on")
    before = len(house.letters())
    answer = owner.act("hall/front-door", "unlock", confirm=True)
    assert answer.body["outcome"] == "executed", answer
    letter = until(
        lambda: next((one for one in house.letters(after=before) if "front" in str(one["Subject"]).lower()), None),
        "the letter about the door",
    )
    assert "Ada unlocked Front door" in text_of(letter)

    databases = sorted(path.name for path in house.folder.rglob("*.sqlite3"))
    assert ("auth.sqlite3" in databases) is not house.on_a_server
    ended = ("gateway", "broker", "auth", "signer", "alerts", *(["postgresql"] if house.on_a_server else []))
    ends: list[tuple[str, Callable[[str], object]]] = [(part, house.kill) for part in ended]
    for part, end in [*ends, ("gateway", house.freeze)]:
        before = house.inspect(part)["RestartCount"]
        end(part)
        until(lambda p=part, n=before: house.inspect(p)["RestartCount"] > n, f"{part} is started anew")  # type: ignore[misc]
        until(lambda p=part: p in house.well(), f"{part} is well again")  # type: ignore[misc]
    switch(owner, house, "off")

    house.docker("--profile", "*", "down", "--timeout", "20")
    house.up("room")
    switch(owner, house, "on")  # whoever was signed in still is
    assert "whole" in house.homesystem("audit", "verify")
    assert "All is well." in house.homesystem("doctor")
    assert "a newer image" in house.sh("hub", "homesystem upgrade")


def test_each_part_has_its_own_alone(house: House) -> None:
    home = "/var/lib/homesystem"
    assert house.sh("gateway", f"ls {home}").split() == ["parts"]
    assert house.sh("gateway", f"ls {home}/parts").split() == ["gateway"]
    assert house.sh("gateway", "find /var /run /tmp /etc /root -name '*.key' 2>/dev/null").split() == [
        f"{home}/parts/gateway/pki/gateway.key",
        f"{home}/parts/gateway/pki/web.key",
    ]
    assert "ca.key" not in house.sh("hub", "find /var /run -name '*.key' 2>/dev/null")
    assert "No such file" in house.sh("hub", "ls /var/lib/homesystem-signer")
    # The signer takes no part's word but of those that have its socket; it reaches nobody but the broker.
    assert "signer.sock" not in house.sh("gateway", "ls /run/homesystem-signer")
    assert "signer.sock" in house.sh("auth", "ls /run/homesystem-signer")
    ask = "import socket; socket.create_connection(({!r}, {}), 3)"
    assert house.sh("signer", f'python -c "{ask.format("broker", house.ports["MQTT"])}"') == ""
    assert "Traceback" in house.sh("signer", f'python -c "{ask.format("auth", 8444)}"')
    assert "Read-only" in house.sh("gateway", f"touch {home}/parts/gateway/pki/x")
