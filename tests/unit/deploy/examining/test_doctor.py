"""The doctor finds what is wrong with a home's files and with a home that does not run, and names the next step."""

import datetime as dt
import io
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from deploy.examining import check_ends, check_enrolments, check_files, check_running, doctor
from deploy.examining.finding import Finding, examine
from deploy.folder import turns
from deploy.folder.home import Home
from deploy.pki.authorities import LEAF_DAYS
from deploy.pki.pairs import RENEW_DAYS
from shared import mail
from shared.mail import MailError, SmtpConfig
from shared.running.config import ConfigError
from tests import house
from tests.begun import begin_accounts


def now() -> dt.datetime:
    """Later than the home, however long the tests before it took."""
    return dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that was set up and never ran."""
    from deploy.folder import home as homes

    made = house.make_home(tmp_path_factory.mktemp("home"))
    os.umask(0o077)
    homes.lay_out(made)
    begin_accounts(made)
    return made


def faults(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.fine is False]


def test_a_fresh_home_has_nothing_to_mend_in_its_files(home: Home) -> None:
    found = [
        *check_files.settings(home),
        *check_files.clock(home, now()),
        *check_files.certificates(home, now()),
        *check_files.modes(home),
        *check_files.spools(home),
    ]
    assert faults(found) == []
    assert {one.area for one in found} == {"settings", "clock", "certificates", "modes", "spools"}


def test_certificates_that_nobody_renewed_are_named_with_the_step(home: Home) -> None:
    in_time = list(check_files.certificates(home, now() + dt.timedelta(days=LEAF_DAYS - RENEW_DAYS)))
    assert {one.text.split()[0] for one in faults(in_time)} == {"crl.pem"}
    late = faults(list(check_files.certificates(home, now() + dt.timedelta(days=LEAF_DAYS + 1))))
    assert "broker.crt has ended 1 days ago" in [one.text for one in late]
    assert all("homesystem renew" in one.step for one in late)


def test_a_key_that_others_may_read_and_a_file_that_is_no_certificate(home: Home) -> None:
    key = home.pki / "auth.key"
    key.chmod(0o644)
    (home.pki / "odd.crt").write_text("nonsense")
    try:
        (mode,) = faults(list(check_files.modes(home)))
        assert mode.step == f"chmod 600 {key}"
        (odd,) = faults(list(check_files.certificates(home, now())))
        assert "odd.crt" in odd.text
        assert "homesystem renew" in odd.step
    finally:
        key.chmod(0o600)
        (home.pki / "odd.crt").unlink()


def test_a_clock_that_is_behind_its_own_certificates(home: Home) -> None:
    (behind,) = faults(list(check_files.clock(home, now() - dt.timedelta(days=300))))
    assert "timedatectl" in behind.step


def test_a_mistake_in_the_settings_is_told_line_by_line(home: Home) -> None:
    path = home.config("alerts")
    text = path.read_text()
    path.write_text(text.replace("per_minute", "per_minit") + "\n[[rules]]\nletter = 1\n")
    try:
        found = faults(list(check_files.settings(home)))
        assert len(found) == 2
        assert "per_minit" in found[0].text + found[1].text
    finally:
        path.write_text(text)


def test_a_home_that_does_not_run_is_told_with_how_to_start_it_and_ends_in_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_smtp: SmtpConfig, _to: object) -> None:
        raise MailError("connection refused", permanent=False, answered=False)

    monkeypatch.setattr(mail, "check", away)
    monkeypatch.setattr(check_running, "_LOOK_AGAIN_SECONDS", 0)
    for name, port in home.settings.ports.items():
        monkeypatch.setenv(name, str(port))
    out = io.StringIO()
    assert not doctor.report(home, Console(file=out, width=200), now())
    lines = out.getvalue().splitlines()
    wrong = [line.split()[1] for line in lines if line.startswith("✗")]
    assert wrong == ["broker", "auth", "alerts", "readings", "gateway", "sign-in", "mail"]
    assert sum("homesystem up" in line and "→" in line for line in lines) == 7
    assert lines[-1] == "7 things to mend."
    told = doctor.report_as_json(home, now())
    assert not told.well
    assert [line.area for line in told.findings if line.state == "wrong"] == wrong
    assert {line.state for line in told.findings} == {"well", "wrong", "skipped"}
    assert all(bool(line.step) == (line.state == "wrong") for line in told.findings)


def test_what_does_not_belong_to_the_homes_user_is_found(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    (fine,) = check_files.owners(home)
    assert fine.fine
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        found = real(path)
        return os.stat_result([*found[:4], found.st_uid + 1, *found[5:10]]) if path.name == "cookie-key" else found

    monkeypatch.setattr(Path, "lstat", lstat)
    (strange,) = faults(list(check_files.owners(home)))
    assert strange.text == f"{home.var}/secrets/cookie-key cannot be used by the home's user"
    assert strange.step == f"sudo chown -R --reference={home.var} {home.var}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_that_is_closed_to_us_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    """Of another user, whom we may not look over the shoulder: root, without the right to."""
    os.chown(tmp_path, 65534, 65534)
    tmp_path.chmod(0o700)
    command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", sys.executable, "-m", "deploy", "doctor"]
    environment = {**os.environ, "HOMESYSTEM_VAR": str(tmp_path)}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stderr.startswith("homesystem: ")
    assert "run this as the home's user" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_lock_that_cannot_be_taken_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "turn.lock").mkdir()
    with pytest.raises(ConfigError, match="chown -R --reference"), turns.turn(tmp_path, "homesystem renew"):
        pass


def test_an_error_in_one_look_ends_that_look_alone() -> None:
    def look() -> list[Finding]:
        raise ConfigError("a: is missing; make it\nb: too")

    assert [(one.text, one.step) for one in examine("x", look)] == [
        ("a: is missing", "make it"),
        ("b: too", "see the log"),
    ]


def test_ends_of_rooms_and_clients_elsewhere_are_known_from_the_authorities(home: Home, tmp_path: Path) -> None:
    authority = home.authority()
    authority.ensure_client("far-room", "room", folder=tmp_path)
    authority.ensure_client("far-client", "client", folder=tmp_path)
    authority.ensure_client("gone-room", "room", folder=tmp_path)
    authority.revoke("gone-room")
    (fresh,) = check_ends.ends(home, now())
    assert fresh.fine
    late = list(check_ends.ends(home, now() + dt.timedelta(days=LEAF_DAYS - 20)))
    assert [(one.text, one.fine) for one in late] == [
        ("room far-room: its certificate ends in 20 days", False),
        ("client far-client: its certificate ends in 20 days", False),
    ]
    assert late[0].step.endswith("`homesystem room renew far-room`")
    ended = list(check_ends.ends(home, now() + dt.timedelta(days=LEAF_DAYS + 3)))
    assert all("has ended 3 days ago" in one.text for one in ended)


def test_keys_that_every_service_can_read_are_named_in_a_real_home(home: Home) -> None:
    assert [one.fine for one in check_ends.signer(home)] == [True]
    real = msgspec.structs.replace(home, settings=msgspec.structs.replace(home.settings, demo=False))
    (found,) = check_ends.signer(real)
    assert found.fine is False
    assert str(home.vault) in found.text


def test_accounts_that_are_gone_are_told_and_not_made_anew(home: Home) -> None:
    """As an empty database they would look well, and the auth service's own would be lost behind it."""
    path = home.var / "data" / "auth.sqlite3"
    path.rename(aside := path.with_suffix(".aside"))
    (found,) = check_enrolments.enrolments(home)
    left = path.exists()
    aside.rename(path)
    assert not left
    assert found.state == "wrong"
    assert str(path) in found.text
    assert "restore" in found.step
