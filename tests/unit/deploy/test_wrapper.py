"""What root runs for an owner never follows what the home's user, or a stranger, put in its way."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.folder.home import ROOT
from deploy.pki.pairs import Pki
from tests.house import DEADLINE
from tests.unit.deploy.pki.test_pki import HOSTS, NOW

WRAPPER = ROOT / "deploy" / "homesystem.sh"
MOVE = ROOT / "deploy" / "move-vault.sh"
SOMEBODY = "nobody"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may look into, and so what is made in it."""
    before = os.umask(0o022)
    try:
        with tempfile.TemporaryDirectory() as made:
            Path(made).chmod(0o755)
            yield Path(made)
    finally:
        os.umask(before)


def wrapper(place: Path, python: Path) -> Path:
    """The command as installed, for the home in `place`."""
    code, home = place / "code", place / "home"
    (code / ".venv" / "bin").mkdir(parents=True)
    home.mkdir(mode=0o700)
    (code / ".venv" / "bin" / "python").symlink_to(python)
    text = WRAPPER.read_text().replace("code=/opt/homesystem", f"code={code}")
    (place / "homesystem").write_text(text.replace("home=/var/lib/homesystem", f"home={home}"))
    return place / "homesystem"


def give(folder: Path, name: str = SOMEBODY) -> None:
    """Folder and all that is in it, to a user."""
    user = pwd.getpwnam(name)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def program(place: Path, lines: str) -> Path:
    """Stands for Python: says that it has what a hub has, and does `lines` with the folder after --out."""
    path = place / "program"
    head = '#!/bin/sh\n[ "$1" != -c ] || exit 0\nfor word; do out=$word; done\n'
    path.write_text(head + lines)
    path.chmod(0o755)
    return path


def run(command: Path, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
    words = ("sh", str(command), *words)
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


@needs_root
def test_whoever_asks_how_a_room_is_placed_is_told_and_needs_no_root(place: Path) -> None:
    homesystem = wrapper(place, Path("/bin/true"))
    (place / "code" / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "place-room.sh", place / "code" / "deploy")
    give(place / "home")
    told = subprocess.run(
        ("runuser", "-u", SOMEBODY, "--", "sh", str(homesystem), "room", "place", "--help"),
        capture_output=True, text=True, check=False, cwd=place,
    )  # fmt: skip
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Usage: homesystem room place [--check|--start] NAME FOLDER\n")


@pytest.mark.parametrize("command", ["doctor", "backup"])
def test_nothing_of_the_folder_in_which_one_stands_is_run(place: Path, command: str) -> None:
    homesystem = wrapper(place, Path(sys.executable))
    trap = place / "trap"
    for name in ("typer.py", "deploy/__init__.py"):
        (trap / name).parent.mkdir(parents=True, exist_ok=True)
        (trap / name).write_text(f"open({str(place / 'caught')!r}, 'w')")
    run(homesystem, command, cwd=trap)
    assert not (place / "caught").exists()


def test_a_home_behind_a_link_is_worked_on_as_its_user(place: Path) -> None:
    homesystem = wrapper(place, program(place, "id -un\n"))
    (place / "home").rename(place / "disk")
    (place / "home").symlink_to(place / "disk")
    if os.geteuid() == 0:
        give(place / "disk")
    done = run(homesystem, "doctor", cwd=place)
    assert done.stdout.split() == [(place / "disk").owner()], done.stderr


@needs_root
def test_what_a_command_wrote_is_handed_over(place: Path) -> None:
    homesystem = wrapper(place, program(place, 'umask 077; echo key >"$out/room.key"; rm -f "$out/.enrolling"\n'))
    give(place / "home")
    out = place / "out"
    out.mkdir()
    (out / ".enrolling").write_text("hall")
    done = run(homesystem, "room", "renew", "hall", "--out", "out", cwd=place)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in out.iterdir()] == ["room.key"]
    assert (out / "room.key").read_text() == "key\n"
    assert ((out / "room.key").owner(), (out / "room.key").stat().st_mode & 0o777) == ("root", 0o600)
    assert out.stat().st_mode & 0o777 == 0o700
    assert not list((place / "home").iterdir())


@needs_root
@pytest.mark.parametrize(
    "trick",
    [
        'mv "$out" "$out.aside" && ln -s {secrets} "$out"',
        'ln -s {secrets}/shadow "$out/room.key"',
    ],
    ids=["folder", "file"],
)
def test_the_homes_user_cannot_have_root_read_elsewhere(place: Path, trick: str) -> None:
    secrets, out = place / "secrets", place / "out"
    secrets.mkdir(mode=0o700)
    (secrets / "shadow").write_text("secret")
    homesystem = wrapper(place, program(place, trick.format(secrets=secrets)))
    give(place / "home")
    run(homesystem, "room", "add", "hall", "--out", str(out), cwd=place)
    assert not list(out.glob("*"))


@needs_root
def test_a_link_in_the_callers_folder_is_replaced_and_not_written_through(place: Path) -> None:
    victim, out = place / "victim", place / "out"
    victim.write_text("precious")
    out.mkdir()
    (out / "room.crt").symlink_to(victim)
    homesystem = wrapper(place, program(place, 'rm "$out/room.crt"; echo new >"$out/room.crt"\n'))
    give(place / "home")
    run(homesystem, "room", "renew", "hall", "--out", str(out), cwd=place)
    assert victim.read_text() == "precious"
    assert (out / "room.crt").read_text() == "new\n"


@needs_root
def test_a_folder_of_somebody_else_is_not_written_to(place: Path) -> None:
    out = place / "out"
    out.mkdir()
    give(out)
    homesystem = wrapper(place, program(place, 'echo key >"$out/room.key"\n'))
    give(place / "home")
    done = run(homesystem, "room", "add", "hall", "--out", str(out), cwd=place)
    assert done.returncode == 1
    assert "belongs to somebody else" in done.stderr
    assert not list(out.iterdir())


@needs_root
def test_a_home_that_points_at_the_signers_folder_does_not_have_its_keys_deleted(place: Path) -> None:
    home, state = place / "home", place / "signer"
    Pki(home / "pki", vault=state / "vault", demo=False, now=NOW).ensure_authorities(HOSTS)
    (home / "signer").symlink_to(state)
    give(home)
    environment = os.environ | {"HOMESYSTEM_SIGNER_USER": "root"}
    command = [shutil.which("sh") or "sh", str(MOVE), str(home), str(state)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (state / "vault" / "device-ca.key").exists(), done.stderr
    assert done.returncode != 0


@needs_root
def test_an_older_homes_keys_go_to_the_signer_with_their_modes(place: Path) -> None:
    home, state = place / "home", place / "signer"
    Pki(home / "pki", vault=home / "pki" / "ca", demo=False, now=NOW).ensure_authorities(HOSTS)
    before = {path.name: path.read_bytes() for path in (home / "pki" / "ca").iterdir()}
    give(home)
    state.mkdir()
    environment = os.environ | {"HOMESYSTEM_SIGNER_USER": SOMEBODY}
    give(state)
    command = [shutil.which("sh") or "sh", str(MOVE), str(home), str(state)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_bytes() for path in (state / "vault").iterdir()} == before
    assert (state / "vault" / "device-ca.key").stat().st_mode & 0o777 == 0o600
    assert {path.owner() for path in (state, *state.rglob("*"))} == {SOMEBODY}
    assert not (home / "pki" / "ca").exists()


@needs_root
def test_whoever_types_ctrl_c_gets_what_was_made_and_no_key_is_left_elsewhere(place: Path) -> None:
    lines = 'umask 077; echo key >"$out/room.key"; echo "$out"; exec sleep 60\n'
    homesystem, out = wrapper(place, program(place, lines)), place / "out"
    give(place / "home")
    # In a shell's background interrupts are ignored, and so they would be by whatever is started there.
    command = ["env", "--default-signal=INT", "sh", str(homesystem), "room", "add", "hall", "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=place) as running:
        assert running.stdout is not None
        work = Path(running.stdout.readline().strip())
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(DEADLINE) != 0
    assert (out / "room.key").read_text() == "key\n"
    assert not work.exists()
    assert not list((place / "home").iterdir())


def placing(place: Path) -> Path:
    """place-room.sh for the home in `place`, whose user is SOMEBODY."""
    text = (ROOT / "deploy" / "place-room.sh").read_text()
    text = text.replace("home=/var/lib/homesystem", f"home={place / 'home'}\nsystemctl() {{ :; }}")
    (place / "place-room").write_text(text.replace("runuser -u homesystem", f"runuser -u {SOMEBODY}"))
    return place / "place-room"


def brought(place: Path) -> None:
    (place / "brought").mkdir()
    for name in ("ca.crt", "room.crt", "room.key", "room.toml"):
        (place / "brought" / name).write_text(name)
    (place / "home").mkdir(mode=0o700)


@needs_root
def test_a_rooms_files_come_to_its_pi(place: Path) -> None:
    brought(place)
    give(place / "home")
    done = run(placing(place), "hall", str(place / "brought"), cwd=place)
    assert done.returncode == 0, done.stderr
    home = place / "home"
    made = {str(path.relative_to(home)): path.stat().st_mode & 0o777 for path in home.rglob("*")}
    assert made == {
        **dict.fromkeys(("agents", "data", "log", "pki", "pki/hall"), 0o700),
        **dict.fromkeys(("pki/hall/ca.crt", "pki/hall/room.crt", "pki/hall/room.key", "agents/hall.toml"), 0o600),
    }
    assert {path.owner() for path in home.rglob("*")} == {SOMEBODY}
    assert (home / "pki" / "hall" / "room.key").read_text() == "room.key"


@pytest.mark.parametrize(("name", "folder"), [("Hall", "brought"), ("hall", "empty"), ("hall", "")])
def test_what_is_no_room_or_no_whole_folder_is_refused_before_anything_is_done(
    place: Path, name: str, folder: str
) -> None:
    brought(place)
    (place / "empty").mkdir()
    for only_look in (["--check"], []):
        done = run(placing(place), *only_look, name, str(place / folder) if folder else "", cwd=place)
        assert done.returncode == 1
        assert "homesystem room add" in done.stderr
    assert not list((place / "home").iterdir())


def test_another_rooms_folder_is_refused_before_its_key_is_in_the_way(place: Path) -> None:
    brought(place)
    pki = Pki(place / "pki", vault=place / "vault", demo=False, now=NOW)
    pki.ensure_authorities(HOSTS)
    pki.ensure_client("kitchen", "room", folder=place / "brought", stem="room")
    for only_look in (["--check"], []):
        done = run(placing(place), *only_look, "hall", str(place / "brought"), cwd=place)
        assert (done.returncode, "of the room kitchen, and not of hall" in done.stderr) == (1, True), done.stderr
    assert not list((place / "home").iterdir())
    assert run(placing(place), "--check", "hall", str(place / "brought"), "more", cwd=place).returncode == 1
    assert run(placing(place), "--check", "kitchen", str(place / "brought"), cwd=place).returncode == 0


@needs_root
def test_a_home_that_points_elsewhere_is_given_nothing_there(place: Path) -> None:
    brought(place)
    elsewhere = place / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    for name in ("agents", "log"):
        (place / "home" / name).symlink_to(elsewhere)
    give(place / "home")
    run(placing(place), "hall", str(place / "brought"), cwd=place)
    assert elsewhere.owner() == "root"
    assert not list(elsewhere.iterdir())


def section(script: str, first: str, behind: str) -> str:
    """The lines of a script from the one that begins with `first` up to that which begins with `behind`."""
    lines = (ROOT / "deploy" / script).read_text().splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith(first))
    end = next(n for n, line in enumerate(lines) if n > begin and line.startswith(behind))
    return "\n".join(lines[begin:end]) + "\n"


@needs_root
def test_code_is_roots_and_a_home_that_was_tried_out_beside_it_stays_closed(place: Path) -> None:
    code = place / "code"
    for name, mode in (("deploy/x.py", 0o600), ("var/pki/admin.key", 0o600)):
        (code / name).parent.mkdir(parents=True)
        (code / name).write_text("")
        (code / name).chmod(mode)
    (elsewhere := place / "elsewhere").write_text("")
    elsewhere.chmod(0o600)
    (code / "link").symlink_to(elsewhere)
    give(code)
    (place / "own").write_text(
        f"code={code} kind=room\n" + section("install.sh", "# It is root's", 'if [ "$kind" = hub ]')
    )
    done = run(place / "own", cwd=place)
    assert done.returncode == 0, done.stderr
    assert ((code / "deploy/x.py").owner(), (code / "deploy/x.py").stat().st_mode & 0o777) == ("root", 0o644)
    key = code / "var/pki/admin.key"
    assert (key.owner(), key.stat().st_mode & 0o777) == (SOMEBODY, 0o600)
    assert elsewhere.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("fails", ["move-vault", "enable", "line", ""])
def test_a_house_goes_on_whatever_fails_while_it_is_brought_up_to_date(place: Path, fails: str) -> None:
    (place / "deploy").mkdir()
    deeds = {"move-vault": "exit 1", "line": "kill -TERM $PPID"}
    (place / "deploy" / "move-vault.sh").write_text(f"#!/bin/sh\n{deeds.get(fails, '')}\n")
    (place / "deploy" / "move-vault.sh").chmod(0o755)
    (place / "systemctl").write_text(
        "#!/bin/sh\n"
        'case $1 in list-units) echo "homesystem-auth.service x"; echo "homesystem-broker.service x" ;; esac\n'
        f'case $* in start*|stop*) echo "$*" >>{place}/said ;; *enable*) [ "{fails}" != enable ] ;; esac\n'
    )
    (place / "systemctl").chmod(0o755)
    head = f"set -eu\nkind=hub code={place} home={place / 'home'}\nPATH={place}:$PATH\n"
    (place / "bring").write_text(
        head + section("settle.sh", "running() {", "chown") + section("settle.sh", "whole=yes", "else") + "fi\n"
    )
    done = run(place / "bring", cwd=place)
    assert (done.returncode != 0) is bool(fails), done.stderr
    units = "homesystem-auth.service homesystem-broker.service"
    assert (place / "said").read_text().splitlines()[:2] == [f"stop {units}", f"start {units}"]


@needs_root
def test_a_stick_that_knows_no_owners_gets_the_key_all_the_same(place: Path) -> None:
    homesystem = wrapper(place, program(place, 'umask 077; echo key >"$out/room.key"; rm -f "$out/.enrolling"\n'))
    give(place / "home")
    (out := place / "out").mkdir()
    (out / ".enrolling").write_text("hall")
    for name, refused in (("chown", "*0:0*"), ("chmod", "*/out")):
        real = shutil.which(name)
        (place / name).write_text(f'#!/bin/sh\ncase "$*" in {refused}) exit 1 ;; esac\nexec {real} "$@"\n')
        (place / name).chmod(0o755)
    homesystem.write_text(homesystem.read_text().replace("set -eu\n", f"set -eu\nPATH={place}:$PATH\n", 1))
    done = run(homesystem, "room", "add", "hall", "--out", str(out), cwd=place)
    assert done.returncode == 0, done.stderr
    assert "knows no owners" in done.stderr
    assert [path.name for path in out.iterdir()] == ["room.key"]


def packaged(place: Path) -> Path:
    """The command as a package has it, whose Python says what it is asked for."""
    (place / "program").write_text('#!/bin/sh\necho "$*"\n')
    (place / "program").chmod(0o755)
    homesystem = wrapper(place, place / "program")
    homesystem.write_text(homesystem.read_text().replace("\npackage=\n", "\npackage=home-system\n"))
    return homesystem


@needs_root
@pytest.mark.parametrize("words", [(), ("x.deb",)])
def test_an_upgrade_of_a_package_is_begun_by_the_code_that_is_there(place: Path, words: tuple[str, ...]) -> None:
    done = run(packaged(place), "upgrade", *words, cwd=place)
    assert done.stdout.split() == ["-m", "deploy.upgrading", "home-system", *words], done.stderr


@needs_root
def test_an_upgrade_of_a_checkout_is_begun_by_it_too(place: Path) -> None:
    (place / "program").write_text('#!/bin/sh\necho "$*"\n')
    (place / "program").chmod(0o755)
    done = run(wrapper(place, place / "program"), "upgrade", cwd=place)
    assert done.stdout.split() == ["-m", "deploy.upgrading", "checkout"], done.stderr


@needs_root
def test_one_that_was_cut_off_is_finished_by_the_code_that_it_kept(place: Path) -> None:
    homesystem = packaged(place)
    driver = place / "home-upgrade" / "driver" / "run"
    driver.parent.mkdir(parents=True)
    driver.write_text('#!/bin/sh\necho "kept $*"\n')
    driver.chmod(0o700)
    assert "deploy.upgrading" in run(homesystem, "upgrade", cwd=place).stdout, "there is nothing to finish"
    (place / "home-upgrade" / "step.json").touch()
    (place / "code/.venv/bin/python").unlink()
    assert run(homesystem, "upgrade", cwd=place).stdout == "kept \n"


@pytest.mark.parametrize("package", ["", "home-system"])
def test_without_its_environment_the_command_says_how_to_have_it_back(place: Path, package: str) -> None:
    homesystem = packaged(place) if package else wrapper(place, place / "program")
    (place / "code/.venv/bin/python").unlink()
    done = run(homesystem, "doctor", cwd=place)
    assert done.returncode == 1
    again = f"sudo apt-get install --reinstall {package}" if package else f"sudo {place}/code/deploy/install.sh"
    assert f"run: {again}" in done.stderr


@needs_root
@pytest.mark.parametrize("fails", [False, True], ids=["done", "not done yet"])
def test_who_is_revoked_stands_beside_the_backups_at_once_and_root_writes_it(place: Path, *, fails: bool) -> None:
    asked = f'echo "$(id -un): $*" >>"{place}/asked"; case $* in *revoke*) exit {3 if fails else 0} ;; esac\n'
    homesystem = wrapper(place, program(place, asked))
    give(place / "home")
    (place / "asked").touch()
    (place / "asked").chmod(0o666)
    done = run(homesystem, "room", "revoke", "hall", cwd=place)
    assert (place / "asked").read_text() == f"{SOMEBODY}: -m deploy room revoke hall\n", "backups go nowhere here"
    (place / "home-backup").mkdir()
    (place / "home-backup" / "plan.toml").touch()
    out = ("--out", str(place / "out"))
    for words in (("room", "revoke", "hall"), ("client", "renew", "phone", *out), ("room", "renew", "hall", "--yes")):
        (place / "asked").write_text("")
        done = run(homesystem, *words, cwd=place)
        assert done.returncode == (3 if fails and "revoke" in words else 0), done.stderr
        first, last = (place / "asked").read_text().splitlines()
        assert first.startswith(f"{SOMEBODY}: -m deploy {' '.join(words[:3])}")
        assert last == "root: -m deploy backup revoked"


@needs_root
def test_a_target_that_is_away_takes_nothing_from_a_revocation(place: Path) -> None:
    homesystem = wrapper(place, program(place, "case $* in *backup*) exit 1 ;; esac\n"))
    give(place / "home")
    (place / "home-backup").mkdir()
    (place / "home-backup" / "plan.toml").touch()
    done = run(homesystem, "client", "revoke", "phone", cwd=place)
    assert (done.returncode, "tries again each hour" in done.stderr) == (0, True)
