"""TLS: old versions are off, clients must show a certificate, and a failure is a sentence one can act on."""

import datetime as dt
import ssl
from pathlib import Path

import pytest

from deploy.pki.pairs import Pki
from shared.running.config import ConfigError
from shared.trust import tls


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)",
            "homesystem renew",
        ),
        ("[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] sslv3 alert certificate expired", "our certificate has expired"),
        ("[SSL: SSLV3_ALERT_CERTIFICATE_REVOKED] sslv3 alert certificate revoked", "run `homesystem renew`"),
        ("certificate verify failed: Hostname mismatch, certificate is not valid for 'x'", "another name"),
        ("certificate verify failed: IP address mismatch", "another address"),
        ("certificate verify failed: self-signed certificate in certificate chain", "not of our authority"),
        ("certificate verify failed: unable to get local issuer certificate", "not of our authority"),
        ("certificate verify failed: certificate is not yet valid", "clock is wrong"),
        ("[Errno 111] Connection refused", "nothing listens there"),
    ],
)
def test_a_failure_says_what_to_do_and_keeps_its_own_words(text: str, told: str) -> None:
    explained = tls.explain(OSError(text))
    assert told in explained
    assert text in explained


def test_what_is_not_known_is_told_as_it_is() -> None:
    assert tls.explain(OSError("strange")) == "strange"
    assert tls.explain(TimeoutError()) == "TimeoutError"


def test_the_common_name_is_read_from_a_verified_certificate_alone() -> None:
    peer: dict[str, tuple[tuple[tuple[str, str], ...], ...]] = {
        "subject": ((("organizationName", "x"),), (("commonName", "hall"),))
    }
    assert tls.common_name(peer) == "hall"
    assert tls.common_name({}) is None
    assert tls.common_name(None) is None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    files = tls.Identity(ca=tmp_path / "ca.crt", certificate=tmp_path / "x.crt", key=tmp_path / "x.key")
    for build in (tls.client_context, tls.server_context):
        with pytest.raises(ConfigError, match=r"ca\.crt"):
            build(files)
    with pytest.raises(ConfigError, match=r"x\.crt.*homesystem"):
        tls.web_context(tmp_path / "x.crt", tmp_path / "x.key")


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    files = tls.Identity(ca=tmp_path / "ca.crt", certificate=tmp_path / "x.crt", key=tmp_path / "x.key")
    with pytest.raises(ConfigError, match=r"ca\.crt: cannot be used"):
        tls.client_context(files)


def test_every_context_refuses_old_versions_and_strangers(pki: Path) -> None:
    files = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / "auth-server.crt", key=pki / "auth-server.key")
    client, server = tls.client_context(files), tls.server_context(files)
    web = tls.web_context(pki / "web.crt", pki / "web.key")
    assert {x.minimum_version for x in (client, server, web)} == {ssl.TLSVersion.TLSv1_2}
    assert client.verify_mode == server.verify_mode == ssl.CERT_REQUIRED
    assert client.check_hostname
    assert web.verify_mode == ssl.CERT_NONE
    assert len(client.get_ca_certs()) == len(server.get_ca_certs()) == 1


def test_a_key_of_another_certificate_is_refused(pki: Path) -> None:
    files = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / "auth.crt", key=pki / "alerts.key")
    with pytest.raises(ConfigError, match=r"auth\.crt: cannot be used"):
        tls.client_context(files)


def test_an_expired_certificate_of_ours_is_named_with_the_way_out(tmp_path: Path) -> None:
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    authority = Pki(tmp_path, vault=tmp_path / "ca", demo=True, now=now)
    authority.ensure_authorities(["localhost"])
    authority.ensure_client("hall", "room")
    identity = tls.Identity(ca=tmp_path / "device-ca.crt", certificate=tmp_path / "hall.crt", key=tmp_path / "hall.key")
    assert tls.own_fault(identity, now.timestamp()) is None
    late = tls.own_fault(identity, (now + dt.timedelta(days=91)).timestamp())
    assert late is not None
    assert "has expired: run `homesystem renew`" in late
    early = tls.own_fault(identity, 0.0)
    assert early is not None
    assert "not yet valid: the clock says 1970-01-01 00:00 UTC, which is wrong" in early
    (tmp_path / "hall.crt").write_text("no certificate")
    assert tls.own_fault(identity, now.timestamp()) is None


@pytest.mark.parametrize("words", ["sslv3 alert certificate expired", "SSL/TLS_ALERT_CERTIFICATE_EXPIRED"])
def test_an_alert_speaks_of_our_certificate_or_of_the_brokers_list(tmp_path: Path, words: str) -> None:
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    authority = Pki(tmp_path, vault=tmp_path / "ca", demo=True, now=now)
    authority.ensure_authorities(["localhost"])
    authority.ensure_client("hall", "room")
    identity = tls.Identity(ca=tmp_path / "device-ca.crt", certificate=tmp_path / "hall.crt", key=tmp_path / "hall.key")
    ours = tls.why_refused(identity, words, (now + dt.timedelta(days=91)).timestamp())
    assert "hall.crt has expired" in ours
    of_the_list = tls.why_refused(identity, words, now.timestamp())
    assert "revocation list has ended" in of_the_list
    assert words in ours
    assert words in of_the_list
    assert tls.why_refused(identity, OSError("[Errno 111] Connection refused"), now.timestamp()).startswith("nothing")


@pytest.mark.parametrize("words", ["sslv3 alert certificate revoked", "SSL/TLS_ALERT_CERTIFICATE_REVOKED"])
def test_whoever_was_revoked_is_told_the_way_back_of_its_own_kind(tmp_path: Path, words: str) -> None:
    """A renewal revokes what a room had before, and it may come back; what was revoked for good may not."""
    authority = Pki(tmp_path, vault=tmp_path / "ca", demo=True, now=dt.datetime.now(dt.UTC))
    authority.ensure_authorities(["localhost"])

    def told(name: str, role: str) -> str:
        authority.ensure_client(name, role)
        return said(tmp_path / f"{name}.crt")

    def said(certificate: Path) -> str:
        identity = tls.Identity(ca=tmp_path / "device-ca.crt", certificate=certificate, key=certificate)
        return tls.why_refused(identity, words, dt.datetime.now(dt.UTC).timestamp())

    room, client = told("hall", "room"), told("phone", "client")
    assert "`homesystem room renew hall` on the hub lets hall in again" in room
    assert "`homesystem client renew phone` on the hub lets phone in again" in client
    assert all("revoked for good" in one and "another name" in one and words in one for one in (room, client))
    service = told("auth", "service")
    assert "run `homesystem renew` on the hub" in service
    assert "another name" not in service
    (tmp_path / "auth.crt").write_text("no certificate")
    assert said(tmp_path / "auth.crt").startswith("our certificate was revoked")
