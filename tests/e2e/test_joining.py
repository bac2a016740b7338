"""A room joins by the pasted line, and nobody else by it: guessed, used, late, revoked, with somebody in the middle."""

import contextlib
import itertools
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deploy.enrolling import lines
from deploy.folder.home import ROOT
from tests.demo import Demo
from tests.e2e.joins import (
    Middle,
    Stranger,
    enrolled,
    home_to_join,
    in_the_middle,
    letters,
    line_for,
    master,
    named,
    recorded,
    request,
)
from tests.house import end, until
from tests.pasted import Pi, token_of

GUESSES = 10_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with home_to_join(tmp_path_factory.mktemp("joining")) as made:
        yield made


names = (f"attic-{number}" for number in itertools.count(1))


def rooms(house: Demo) -> dict[str, str]:
    """Those that the master user sees, and whether they are there."""
    found = master(house).call("GET", "/api/v1/rooms").body["rooms"]
    return {room["id"]: room["status"] for room in found}


@contextlib.contextmanager
def running(pi: Pi, room: str) -> Iterator[None]:
    """The room's agent, on the machine that has joined."""
    path = pi.out.parent / f"{room}.toml"
    text = (pi.out / "room.toml").read_text()
    text = text.replace(f"/var/lib/homesystem/pki/{room}", str(pi.out)).replace("/var/lib/homesystem", str(pi.out))
    path.write_text(text)
    with (pi.out.parent / "agent.log").open("wb") as log:
        command = [sys.executable, "-m", "device_agents", "--config", str(path)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        yield
    finally:
        end([process])


@pytest.mark.parametrize("fetcher", ["curl", "wget"])
def test_a_pasted_line_makes_a_room_that_is_there_with_a_key_that_nobody_else_had(
    house: Demo, tmp_path: Path, fetcher: str
) -> None:
    room, pi = next(names), Pi(tmp_path, fetcher)
    line = line_for(house, room)
    done = pi.paste(line)
    assert done.returncode == 0, done.stderr
    with running(pi, room):
        until(lambda: rooms(house).get(room) == "online", "the room is there")
    subject = subprocess.run(
        ["openssl", "x509", "-in", pi.out / "room.crt", "-noout", "-subject", "-ext", "subjectAltName"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"CN = {room}" in subject.stdout
    assert "urn:homesystem:role:room" in subject.stdout
    key = (pi.out / "room.key").read_bytes()
    files = [path for path in house.var.rglob("*") if path.is_file()]
    assert len(files) > 30
    assert [path for path in files if key in path.read_bytes()] == []
    token = token_of(line)
    assert token not in pi.listed, "no process is called with it"
    assert f"room join {room}" in pi.listed
    assert [path for path in files if token.encode() in path.read_bytes()] == [], "nor does it lie on the hub"


def test_opening_joining_and_refusing_are_in_the_record_with_whose_key_it_was(house: Demo, tmp_path: Path) -> None:
    room = next(names)
    line = line_for(house, room)
    first, second = Pi(tmp_path / "1"), Pi(tmp_path / "2")
    assert first.paste(line).returncode == 0
    refused = second.paste(line)
    assert refused.returncode != 0
    assert "Another machine has used this line already" in refused.stderr
    assert f"homesystem room revoke {room}" in refused.stderr
    public = subprocess.run(
        ["openssl", "pkey", "-in", first.out / "room.key", "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    )
    digest = subprocess.run(["sha256sum"], input=public.stdout, capture_output=True, check=True).stdout.split()[0]

    def told() -> dict[str, dict[str, object]] | None:
        found = recorded(house, f"room/{room}")
        return found if {"room:awaited", "room:added", "room:join-refused"} <= set(found) else None

    events = until(told, "all of it is in the record")
    assert events["room:awaited"]["who"]["issuer"] == "admin"  # type: ignore[index]
    assert events["room:added"]["detail"]["key"] == digest.decode()  # type: ignore[index]
    assert events["room:added"]["who"]["address"] == "127.0.0.1"  # type: ignore[index]
    assert events["room:join-refused"]["detail"]["reason"] == "used"  # type: ignore[index]
    until(lambda: letters(house, "Machine was refused", room), "the master user has a letter")


def test_pasted_again_it_goes_on_with_the_same_key_and_gets_the_same_certificate(house: Demo, tmp_path: Path) -> None:
    room, pi = next(names), Pi(tmp_path)
    line = line_for(house, room)
    assert pi.paste(line).returncode == 0
    before = (pi.out / "room.crt").read_bytes()
    for lost in ("room.crt", "room.toml", "ca.crt"):  # as where its power failed before they were written
        (pi.out / lost).unlink()
        assert pi.paste(line).returncode == 0
        assert (pi.out / "room.crt").read_bytes() == before


def test_of_many_machines_that_come_at_once_one_gets_in(house: Demo, tmp_path: Path) -> None:
    room = next(names)
    line = line_for(house, room)
    machines = [Pi(tmp_path / str(number)) for number in range(4)]
    with ThreadPoolExecutor(len(machines)) as pool:
        done = list(pool.map(lambda pi: pi.paste(line), machines))
    assert sorted(one.returncode == 0 for one in done) == [False, False, False, True], [one.stderr for one in done]
    assert [pi.out for pi in machines if (pi.out / "room.crt").exists()] == [
        pi.out for pi, one in zip(machines, done, strict=True) if one.returncode == 0
    ]


def test_a_line_whose_time_is_over_is_refused_and_says_what_to_do(house: Demo, tmp_path: Path) -> None:
    room = next(names)
    line = line_for(house, room)
    past = (datetime.now(UTC) - timedelta(seconds=1)).replace(tzinfo=None).isoformat(" ")
    with contextlib.closing(sqlite3.connect(house.var / "data" / "auth.sqlite3")) as file, file:
        changed = file.execute("UPDATE join_windows SET expires_at = ? WHERE name = ?", (past, room)).rowcount
    assert changed == 1
    done = Pi(tmp_path).paste(line)
    assert done.returncode != 0
    assert f"homesystem room add {room}" in done.stderr
    assert room not in enrolled(house, "room")


def test_another_line_ends_the_former(house: Demo, tmp_path: Path) -> None:
    room = next(names)
    former, line = line_for(house, room), line_for(house, room)
    refused = Pi(tmp_path / "1").paste(former)
    assert refused.returncode != 0
    assert "a later line took its place" in refused.stderr
    assert Pi(tmp_path / "2").paste(line).returncode == 0


def test_a_name_that_was_revoked_is_never_given_again_by_a_line_from_before_or_by_another(
    house: Demo, tmp_path: Path
) -> None:
    room, pi = next(names), Pi(tmp_path / "1")
    line = line_for(house, room)
    assert pi.paste(line).returncode == 0
    assert house.command("room", "revoke", room).returncode == 0
    for name in ("room.crt", "room.toml"):
        (pi.out / name).unlink()
    assert pi.paste(line).returncode != 0
    refused = house.command("room", "add", room)
    assert (refused.returncode, "no name is ever given out twice" in refused.stderr) == (1, True)
    assert room not in rooms(house)


def test_a_room_that_is_there_joins_again_on_another_card_and_its_former_one_is_out_at_once(
    house: Demo, tmp_path: Path
) -> None:
    room, former, card = next(names), Pi(tmp_path / "1"), Pi(tmp_path / "2")
    assert former.paste(line_for(house, room)).returncode == 0
    unsure = house.command("room", "renew", room)
    assert (unsure.returncode, unsure.stdout) == (1, "")
    assert "is refused at once" in unsure.stderr
    assert "--yes" in unsure.stderr
    with running(former, room):
        until(lambda: rooms(house).get(room) == "online", "the room is there")
        said = house.command("room", "renew", room, "--yes")
        assert said.returncode == 0, said.stderr
        log = former.out.parent / "agent.log"
        until(lambda: "our certificate was revoked" in log.read_text(), "it is out, whether or not somebody comes")
        assert card.paste(said.stdout.strip()).returncode == 0
        with running(card, room):
            until(lambda: "Broker reached" in (card.out.parent / "agent.log").read_text(), "the other card is the room")
    serials = [
        x509.load_pem_x509_certificate((pi.out / "room.crt").read_bytes()).serial_number for pi in (former, card)
    ]
    listed = x509.load_pem_x509_crl((house.var / "pki" / "crl.pem").read_bytes())
    out = [listed.get_revoked_certificate_by_serial_number(serial) is not None for serial in serials]
    assert out == [True, False]
    refused = former.paste(said.stdout.strip())
    assert refused.returncode != 0
    assert "Another machine has used this line already" in refused.stderr
    again = house.command("room", "renew", room, "--yes")
    assert former.paste(again.stdout.strip()).returncode == 0, (
        "the first Pi, whose files lie there yet, may be it again"
    )
    with running(former, room):
        until(lambda: "Broker reached" in log.read_text(), "the room is there")
    assert house.command("room", "revoke", room).returncode == 0
    over = house.command("room", "renew", room, "--yes")
    assert (over.returncode, "was revoked, for good" in over.stderr) == (1, True)


def test_a_line_that_was_changed_on_its_way_makes_nobody_another_room(house: Demo, tmp_path: Path) -> None:
    room, wanted = next(names), next(names)
    line = line_for(house, room)
    done = Pi(tmp_path).paste(line.replace(f"join.sh {room} ", f"join.sh {wanted} "))
    assert done.returncode != 0
    assert not {room, wanted} & enrolled(house, "room")


@pytest.mark.parametrize("shows", ["its own authority", "both", "the hub's"])
def test_another_authority_in_the_middle_is_found_before_anything_of_it_is_run_or_told(
    house: Demo, tmp_path: Path, shows: str
) -> None:
    room, pi = next(names), Pi(tmp_path / "pi")
    line = line_for(house, room)
    in_the_middle(house, line, "join.sh", tmp_path / "middle", shows, pi.paste)
    assert not pi.out.exists()


def test_the_token_is_told_to_nobody_whose_certificate_is_not_of_the_lines_authority(
    house: Demo, tmp_path: Path
) -> None:
    middle = Middle(tmp_path / "middle", {"/api/v1/csrf": b'{"csrf_token": "x"}', "/api/v1/join": b"{}"})
    command = [sys.executable, "-m", "device_agents.joining", "attic", f"localhost:{middle.port}"]
    command += ["--ca", str(house.var / "pki" / "web-ca.crt"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, input="0" * 32, capture_output=True, text=True, check=False)
    middle.close()
    assert done.returncode == 1
    assert "somebody is in the middle. Nothing was sent" in done.stderr
    assert middle.asked == []


def test_the_name_is_the_windows_whatever_the_request_asks_for(house: Demo, tmp_path: Path) -> None:
    room = next(names)
    with Stranger(house) as stranger:
        status, answer = stranger.join(token_of(line_for(house, room)), room, request(tmp_path, "gateway"))
    assert (status, named(answer["certificate"])) == (200, room)


def test_a_replayed_request_gets_nothing_that_its_first_sender_has_not(house: Demo, tmp_path: Path) -> None:
    room, other = next(names), next(names)
    line, csr = line_for(house, room), request(tmp_path, "pi")
    with Stranger(house) as stranger, Stranger(house, "127.0.0.3") as elsewhere:
        first = stranger.join(token_of(line), room, csr)
        again = elsewhere.join(token_of(line), room, csr)
        assert again == first, "what a certificate says is public; it is of use to whoever has the key"
        assert stranger.join(token_of(line), other, csr)[0] == 403
        assert stranger.join("0" * 32, room, csr)[0] == 403
        of_another = stranger.join(token_of(line_for(house, other)), other, csr)
        assert named(of_another[1]["certificate"]) == other, "its name is the window's"
        assert house.command("room", "revoke", room).returncode == 0
        assert stranger.join(token_of(line), room, csr)[0] == 403


def test_ten_thousand_guesses_let_nobody_in_keep_nobody_out_and_are_a_letter(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """At the limits that a home begins with."""
    house = Demo(tmp_path_factory.mktemp("guesses"), warm=True)
    assert house.command("init", "--demo").returncode == 0
    house.start()
    try:
        room, folder = next(names), tmp_path_factory.mktemp("pi")
        line, csr = line_for(house, room), request(folder, "guess")
        answers = {403: 0, 429: 0}
        with Stranger(house) as stranger:
            for number in range(GUESSES):
                status, _ = stranger.join(f"{number:032x}", room, csr)
                answers[status] += 1
        assert answers == {403: 20, 429: GUESSES - 20}
        assert room not in enrolled(house, "room")
        until(lambda: letters(house, "Machine was refused that wanted to join"), "the master user has a letter")
        assert Pi(folder / "pi").paste(line).returncode == 0, "the window is as open as it was"
        assert room in enrolled(house, "room")
    finally:
        house.stop()


def test_a_machine_that_is_killed_before_any_step_finishes_with_the_same_line(house: Demo, tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_bytes((house.var / "pki" / "web-ca.crt").read_bytes())
    place, killed = f"localhost:{house.ports['HTTPS']}", 0
    for number in itertools.count(1):
        room, out = next(names), tmp_path / str(number)
        token = token_of(lines.open_for(house.home, room).text)

        def joined(kill_before: int, room: str = room, out: Path = out, token: str = token) -> int:
            command = [sys.executable, "-m", "tests.crash_join", str(kill_before), room, place, str(ca), str(out)]
            return subprocess.run(
                command, cwd=ROOT, input=token, capture_output=True, text=True, check=False
            ).returncode

        first = joined(number)
        if first == 0:
            break
        assert first == -signal.SIGKILL
        killed += 1
        assert joined(0) == 0, f"killed before its effect {number}, it does not finish"
        key, certificate = ((out / name).read_bytes() for name in ("room.key", "room.crt"))
        public = serialization.load_pem_private_key(key, None).public_key()
        assert x509.load_pem_x509_certificate(certificate).public_key() == public
        assert sorted(path.name for path in out.iterdir() if not path.name.endswith((".making", ".new"))) == [
            *("ca.crt", "line", "room.crt", "room.csr", "room.key", "room.toml"),
        ]
    assert killed > 12


def test_whoever_is_killed_on_the_way_finishes_with_a_second_try(house: Demo, tmp_path: Path) -> None:
    """kill -9 of the auth service while a Pi joins; where in the joining is chance, so it is done several times."""
    for number in range(4):
        room, pi = next(names), Pi(tmp_path / str(number))
        line = line_for(house, room)
        former = house.pids()["auth"]
        with ThreadPoolExecutor(1) as pool:
            pasted = pool.submit(pi.paste, line)
            house.kill("auth")
            pasted.result()
        house.reborn("auth", former)
        until(lambda pi=pi, line=line: pi.paste(line).returncode == 0, "it has joined")  # type: ignore[misc]
        with running(pi, room):
            until(lambda room=room: rooms(house).get(room) == "online", "the room is there")  # type: ignore[misc]
