"""Another web authority follows in a home: offered first, shown at its time; what is written down, who is refused."""

import datetime as dt
import shutil
import ssl
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from auth_service.hub.accounts import Accounts
from deploy.__main__ import app
from deploy.authority import web_rotating
from deploy.examining import check_ends, check_names
from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.names import renaming
from deploy.pki import reading, served
from shared.proof.spool import Spool
from shared.trust import authority
from shared.trust.signing import Phase
from shared.words.messages import AuditEvent
from shared.words.names import Severity
from shared.words.problem import HomeError
from tests import killed
from tests.begun import begin_accounts, home_that_never_ran
from tests.claimed import free_port
from tests.house import make_home

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("HOMESYSTEM_HTTPS_PORT", str(free_port()))
    made = home_that_never_ran(tmp_path / "home", monkeypatch)
    begin_accounts(made)
    return made


def said(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None:
        raise done.exception
    return done.stdout


def told(home: Home) -> list[AuditEvent]:
    spool = Spool(home.var / "data" / "auth-spool.sqlite3", source="auth", alone=True)
    try:
        return [event for event in spool.pending(50) if "web-authority" in event.what]
    finally:
        spool.close()


def is_believed(home: Home, pem: str) -> bool:
    """Whether a browser that knows `pem` alone takes what lies there to be shown."""
    browser = ssl.create_default_context(cadata=pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(home.pki / "web.crt", home.pki / "web.key")
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = browser.wrap_bio(one, other, server_hostname="localhost")
    there = server.wrap_bio(other, one, server_side=True)
    try:
        for _ in range(3):
            for side in (here, there):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLCertVerificationError:
        return False
    return True


def days_on(home: Home, days: float) -> bool:
    homes.renew(home)
    return web_rotating.go_on(home, NOW + dt.timedelta(days=days))


def test_it_is_offered_for_thirty_days_and_then_shown(home: Home) -> None:
    former = authority.read(home.pki / authority.FILE)
    assert authority.shown(home.pki / "web.crt").following is None
    assert web_rotating.begin(home, NOW)
    now, following = home.pki / "web.crt", authority.shown(home.pki / "web.crt").following
    assert authority.shown(now).now == former
    assert following is not None
    assert following.changes_at == NOW.replace(microsecond=0) + dt.timedelta(days=30)
    assert following.authority.name == "DEMO Home System Web CA 2 localhost"
    both, follows = (home.pki / authority.FILE).read_text(), following.authority.pem
    assert both == former.pem + follows

    assert not days_on(home, 29.9)
    assert [is_believed(home, pem) for pem in (former.pem, follows, both)] == [True, False, True]
    assert authority.anchor(now) == former.pem.encode(), "lines that were printed go on working"

    assert days_on(home, 30.1)
    assert [is_believed(home, pem) for pem in (former.pem, follows, both)] == [False, True, True]
    assert (home.pki / authority.FILE).read_text() == follows
    assert authority.shown(now).now == following.authority
    assert authority.shown(now).following is None
    assert not (home.pki / authority.PLAN).exists()
    assert not days_on(home, 31)


def test_each_step_is_written_down_and_told_before_it_is_taken(home: Home) -> None:
    web_rotating.begin(home, NOW)
    web_rotating.begin(home, NOW + dt.timedelta(days=1))
    assert [(event.what, event.severity) for event in told(home)] == [
        ("home:web-authority-followed", Severity.CRITICAL)
    ]
    web_rotating.begin(home, NOW, days=10)
    following = authority.shown(home.pki / "web.crt").following
    assert following is not None
    fingerprint = following.authority.fingerprint
    day = f"{NOW + dt.timedelta(days=10):%Y-%m-%d %H:%M} UTC"
    assert told(home)[-1].detail == {"changes": day, "fingerprint": fingerprint}
    web_rotating.end(home)
    assert told(home)[2].detail == {"fingerprint": fingerprint}, "to compare with what is to be installed"
    assert [(event.what, event.severity) for event in told(home)[2:]] == [
        ("home:web-authority-changed", Severity.CRITICAL),
        ("home:web-authority-ended", Severity.INFO),
    ]


def test_without_proof_nothing_is_begun(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_proof(*_: object, **__: object) -> None:
        raise HomeError("no-proof")

    monkeypatch.setattr(Accounts, "note_authority", no_proof)
    before = (home.pki / authority.FILE).read_text()
    with pytest.raises(HomeError):
        web_rotating.begin(home, NOW)
    assert web_rotating.look(home).phase is None
    assert (home.pki / authority.FILE).read_text() == before


def test_one_that_ends_before_is_changed_from_in_time(home: Home) -> None:
    ends = web_rotating.look(home).ends
    web_rotating.begin(home, ends - dt.timedelta(days=5))
    assert web_rotating.look(home).changes_at == ends - dt.timedelta(days=1)


def test_a_home_that_browsers_know_by_somebody_elses_certificate_is_refused(home: Home, tmp_path: Path) -> None:
    config = home.config("gateway")
    config.write_text(config.read_text().replace(f"{home.pki}/web.crt", f"{tmp_path}/bought.crt"))
    with pytest.raises(HomeError, match=r"bought.crt, which no authority of this home signed.*nothing to rotate"):
        web_rotating.begin(home, NOW)


def test_neither_is_begun_while_the_other_goes_on(home: Home) -> None:
    renamed = Home(home.var, msgspec.structs.replace(home.settings, demo=False, former_names=("old.local",)))
    with pytest.raises(HomeError, match=r"being renamed from old.local.*rename --done"):
        web_rotating.begin(renamed, NOW)
    web_rotating.begin(home, NOW)
    with pytest.raises(HomeError, match=r"authority rotate web --finish"):
        renaming.begin(Home(home.var, msgspec.structs.replace(home.settings, demo=False)), "new.local")


def test_a_gateway_that_goes_on_with_the_former_keeps_its_key(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reason: before there is no way back, somebody looks at what is shown."""
    shown = reading.certificate(home.pki / "web.crt")
    seen = served.Served(shown.serial_number, NOW, NOW)
    monkeypatch.setattr(served, "look", lambda *_: seen)
    monkeypatch.setattr(web_rotating, "PATIENCE_SECONDS", 0.0)
    web_rotating.begin(home, NOW)
    with pytest.raises(HomeError, match="The former authority is kept until then"):
        web_rotating.end(home)
    assert web_rotating.look(home).phase is Phase.SERVING
    assert reading.certificate(home.pki / "web.crt") != shown
    (found,) = check_ends.following_web(home, NOW)
    assert (found.state, found.step) == ("wrong", "`homesystem renew`")
    monkeypatch.undo()
    assert days_on(home, 0)


def test_the_command_that_was_interrupted_at_the_end_finishes_it_and_says_so(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    web_rotating.begin(home, NOW)
    with monkeypatch.context() as patched:
        patched.setattr(web_rotating, "_see", lambda _home: pytest.fail("cut here"))
        with pytest.raises(pytest.fail.Exception):
            web_rotating.end(home)
    assert web_rotating.look(home).phase is Phase.SERVING
    assert "its key is destroyed" in said("authority", "rotate", "web")
    assert web_rotating.look(home).phase is None


def test_the_doctor_says_what_is_next(home: Home) -> None:
    def seen(days: float = 0) -> list[tuple[str, str]]:
        return [(one.state, one.text) for one in check_ends.following_web(home, NOW + dt.timedelta(days=days))]

    assert seen() == []
    web_rotating.begin(home, NOW)
    ((state, text),) = seen()
    day = f"{NOW + dt.timedelta(days=30):%Y-%m-%d}"
    assert (state, f"the hub changes over on {day}" in text, "/authority before" in text) == ("well", True, True)
    ((state, text),) = seen(33)
    assert (state, f"was to change over to another web authority on {day}, and has not" in text) == ("wrong", True)
    names = list(check_names.names(home))
    assert {one.state for one in names} == {"well"}
    following = authority.shown(home.pki / "web.crt").following
    assert following is not None
    assert f"the one that follows it has the SHA-256 fingerprint {following.authority.fingerprint}" in [
        one.text for one in names
    ]
    web_rotating.end(home)
    assert seen() == []
    assert {one.state for one in check_names.names(home)} == {"well"}


@pytest.mark.parametrize("days", [(), (NOW,)], ids=["none follows", "one follows"])
def test_the_doctor_finds_an_authority_that_the_signer_never_made(
    home: Home, tmp_path: Path, days: tuple[dt.datetime, ...]
) -> None:
    """Somebody in a service of the hub would have people install one that may vouch for everything."""
    for day in days:
        web_rotating.begin(home, day)
    own = list(check_names.names(home))
    file, plan = home.pki / authority.FILE, home.pki / authority.PLAN
    file.write_text(authority.read(file).pem + authority_of(tmp_path / "stranger").read_text())
    pretended = authority.read_all(file)[1].fingerprint
    plan.parent.mkdir(exist_ok=True)
    plan.write_bytes(msgspec.json.encode(authority.Plan(fingerprint=pretended, changes_at=NOW)))
    found = list(check_names.names(home))
    (wrong,) = [one for one in found if one.state == "wrong"]
    assert "is not what the signer has: install nothing" in wrong.text
    assert not any(pretended in one.text for one in found), "what is compared is the signer's"
    assert not days_on(home, 1)
    assert list(check_names.names(home)) == own


def authority_of(folder: Path) -> Path:
    """Another home's web authority."""
    made = make_home(folder)
    homes.lay_out(made)
    return made.pki / authority.FILE


def test_a_plan_that_is_spoilt_is_written_anew(home: Home) -> None:
    web_rotating.begin(home, NOW)
    plan = home.pki / authority.PLAN
    good = plan.read_bytes()
    plan.write_text("{")
    assert authority.shown(home.pki / "web.crt").following is None
    assert not days_on(home, 1)
    assert plan.read_bytes() == good


def test_the_command_says_what_is_next_at_each_step(home: Home) -> None:
    former = authority.read(home.pki / authority.FILE)
    with pytest.raises(HomeError, match="nothing to change over to"):
        said("authority", "rotate", "web", "--finish")
    with pytest.raises(HomeError, match="No web authority follows another"):
        said("authority", "next")
    begun = said("authority", "rotate", "web", "--days", "20")
    following = authority.shown(home.pki / "web.crt").following
    assert following is not None
    day = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=20):%Y-%m-%d}"
    for line in (
        f"changes over on {day}",
        following.authority.fingerprint,
        "/authority and install it",
        "rotate web --",
    ):
        assert line in begun
    assert following.authority.fingerprint in said("authority", "list")
    assert said("authority", "next") == following.authority.pem
    assert said("authority").startswith(former.pem)
    assert "The former one has ended" not in said("renew")
    ended = said("authority", "rotate", "web", "--finish")
    assert "its key is destroyed" in ended
    assert "cannot go past that" in ended
    assert said("authority") == following.authority.pem
    assert "Web authority: until" in said("authority", "list")


def test_with_no_day_to_wait_it_is_changed_over_to_at_once(home: Home) -> None:
    former = authority.read(home.pki / authority.FILE)
    assert "its key is destroyed" in said("authority", "rotate", "web", "--days", "0")
    assert authority.read(home.pki / authority.FILE) != former


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("web", "--without", "hall"), "browsers have no names here"),
        (("web", "--finish", "--days", "3"), "either --finish"),
        (("--days", "3"), "homesystem authority rotate web"),
    ],
)
def test_what_does_not_fit_together_is_refused(home: Home, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(HomeError, match=why):
        said("authority", "rotate", *words)
    assert web_rotating.look(home).phase is None


@pytest.mark.parametrize("work", ["begin", "end"])
def test_killed_at_any_moment_it_is_finished_by_the_next_try(home: Home, tmp_path: Path, work: str) -> None:
    def do(made: Home) -> None:
        if work == "begin":
            web_rotating.begin(made, NOW)
        else:
            web_rotating.end(made)

    if work == "end":
        web_rotating.begin(home, NOW)
    kept = tmp_path / "kept"
    _copy(home.var, kept)
    _, writes = killed.at_write(lambda: do(home), home.var, 0)
    for number in killed.moments(writes, most=10):
        _copy(kept, home.var)
        former = authority.read(home.pki / authority.FILE).pem
        code, _ = killed.at_write(lambda: do(home), home.var, number)
        assert code < 0
        both = (home.pki / authority.FILE).read_text()
        if reading.belong_together(
            reading.private_key(home.pki / "web.key"), reading.certificate(home.pki / "web.crt")
        ):
            assert is_believed(home, both), "whoever reads that file believes the hub at any moment"
        homes.renew(home)
        web_rotating.go_on(home, NOW)
        if web_rotating.look(home).phase is None and work == "end":
            assert (home.pki / authority.FILE).read_text() != former
        else:
            do(home)
        assert web_rotating.look(home).phase is (Phase.BELIEVED if work == "begin" else None), number
        assert is_believed(home, former) is (work == "begin"), number
        assert (authority.shown(home.pki / "web.crt").following is not None) is (work == "begin"), number
        whats = [event.what for event in told(home)]
        assert whats[0] == "home:web-authority-followed"
        assert ("home:web-authority-ended" in whats) is (work == "end")


def _copy(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
