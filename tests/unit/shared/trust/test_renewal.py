"""Renewed on disk is renewed in use, and what does not fit together never takes the place of what works."""

import datetime as dt
import logging
import ssl
from pathlib import Path

import pytest

from deploy.pki.pairs import Pki
from shared.running.config import EX_CONFIG, EX_TEMPFAIL, ConfigError
from shared.trust import renewal, tls
from shared.trust.renewal import AGAIN_SECONDS, SETTLING_SECONDS, Credentials, Latest

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def identity(tmp_path: Path) -> tls.Identity:
    authority(tmp_path).ensure_client("hall", "room")
    return tls.Identity(ca=tmp_path / "device-ca.crt", certificate=tmp_path / "hall.crt", key=tmp_path / "hall.key")


def authority(folder: Path, days: float = 0) -> Pki:
    made = Pki(folder, vault=folder / "ca", demo=True, now=NOW + dt.timedelta(days=days))
    made.ensure_authorities(["localhost"])
    return made


def renew(identity: tls.Identity, days: float = 61) -> None:
    assert authority(identity.ca.parent, days).ensure_client("hall", "room")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "shared.trust.renewal"]


def test_what_lies_there_unchanged_is_built_once(identity: tls.Identity) -> None:
    latest = renewal.client(identity)
    assert latest.value() is latest.value()


def test_a_renewed_pair_is_built_anew_and_a_pair_that_does_not_fit_is_not(
    identity: tls.Identity, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    now = [0.0]
    files = (identity.ca, identity.key, identity.certificate)
    latest = Latest(lambda: tls.client_context(identity), files, monotonic=lambda: now[0])
    first = latest.value()
    old = {path: path.read_bytes() for path in (identity.key, identity.certificate)}
    renew(identity)
    new = {path: path.read_bytes() for path in old}
    identity.certificate.write_bytes(old[identity.certificate])  # as between the two writes of a renewal
    assert latest.value() is first
    assert latest.value() is first
    assert told(caplog) == []  # it may be whole in a moment
    for _ in range(5):
        now[0] += AGAIN_SECONDS
        assert latest.value() is first
    assert told(caplog) == ["Renewed certificate cannot be used; the one before stays"]
    identity.certificate.write_bytes(new[identity.certificate])
    second = latest.value()
    assert second is not first
    assert latest.value() is second
    assert told(caplog)[1:] == ["Renewed certificate is in use"]


def test_what_could_not_be_used_is_tried_again_without_a_change(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    now, sick, tries = [0.0], [False], [0]

    def build() -> str:
        tries[0] += 1
        if sick[0]:
            raise ConfigError("too many open files")
        return file.read_text()

    latest = Latest(build, (file,), monotonic=lambda: now[0])
    sick[0] = True
    file.write_text("two")
    assert latest.value() == latest.value() == "one"
    assert tries[0] == 2
    sick[0] = False
    now[0] += SETTLING_SECONDS
    assert latest.value() == "two"


def test_files_that_are_gone_leave_what_works(identity: tls.Identity) -> None:
    latest = renewal.client(identity)
    first = latest.value()
    identity.key.unlink()
    assert latest.value() is first


def test_a_pair_that_does_not_fit_at_the_start_is_worth_another_start(identity: tls.Identity) -> None:
    identity.key.write_bytes((identity.ca.parent / "ca" / "device-ca.key").read_bytes())
    with pytest.raises(ConfigError) as unfit:
        renewal.server_context(identity)
    assert unfit.value.exit_code == EX_TEMPFAIL
    identity.key.unlink()
    with pytest.raises(ConfigError) as missing:
        renewal.server_context(identity)
    assert missing.value.exit_code == EX_CONFIG


def test_what_is_shown_has_ended_when_the_newest_that_fits_has(identity: tls.Identity) -> None:
    front = renewal.server_context(identity)
    later = (NOW + dt.timedelta(days=100)).timestamp()
    assert not renewal.has_ended(front, NOW.timestamp())
    assert renewal.has_ended(front, later)
    renew(identity)
    kept = identity.key.read_bytes()
    identity.key.write_bytes((identity.ca.parent / "ca" / "device-ca.key").read_bytes())
    assert renewal.has_ended(front, later)  # it lies there, and cannot be shown
    identity.key.write_bytes(kept)
    assert not renewal.has_ended(front, later)


# --- credentials ---------------------------------------------------------------------------------------------------


def connect(credentials: Credentials, *, taken: bool) -> ssl.SSLContext:
    context = credentials.next()
    credentials.taken() if taken else credentials.refused()
    return context


def test_a_renewed_pair_is_for_the_next_connection(identity: tls.Identity) -> None:
    credentials = Credentials(identity)
    first = connect(credentials, taken=True)
    assert not credentials.is_renewed()
    renew(identity)
    assert credentials.is_renewed()
    assert connect(credentials, taken=True) is not first
    assert not credentials.is_renewed()


def test_where_the_broker_refuses_the_new_pair_the_old_one_is_tried_in_turn(identity: tls.Identity) -> None:
    credentials = Credentials(identity)
    first = connect(credentials, taken=True)
    renew(identity)
    second = connect(credentials, taken=False)
    assert connect(credentials, taken=False) is first
    assert connect(credentials, taken=False) is second
    assert connect(credentials, taken=True) is first
    assert not credentials.is_renewed()  # it was refused: nothing to leave a good connection for
    assert connect(credentials, taken=True) is second
    assert connect(credentials, taken=True) is second


def test_without_any_pair_there_is_an_error_until_there_is_one(identity: tls.Identity) -> None:
    kept = identity.key.read_bytes()
    identity.key.unlink()
    credentials = Credentials(identity)
    with pytest.raises(ConfigError, match=r"hall\.key"):
        credentials.next()
    identity.key.write_bytes(kept)
    assert credentials.next()
