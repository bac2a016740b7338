"""The revocation list as a server of ours reads it, made by the library that signs it."""

import base64
import contextlib
import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.running.config import ConfigError
from shared.trust.revoked import Listed, RevocationList, read

NOW = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
SERIALS = st.integers(min_value=1, max_value=2**159 - 1)


def signed(serials: list[int], *, ends: dt.datetime = NOW + dt.timedelta(days=30), reasons: bool = False) -> bytes:
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Device CA")])
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer)
    builder = builder.last_update(min(NOW, ends - dt.timedelta(days=1))).next_update(ends)
    builder = builder.add_extension(x509.CRLNumber(7), critical=False)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW)
        if reasons:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def peer(serial: int) -> dict[str, str]:
    return {"serialNumber": f"{serial:X}"}


@settings(deadline=None, max_examples=50)
@given(serials=st.lists(SERIALS, max_size=30, unique=True), reasons=st.booleans(), year=st.sampled_from([2027, 2060]))
def test_it_reads_what_the_authority_signed(
    tmp_path_factory: pytest.TempPathFactory, serials: list[int], year: int, *, reasons: bool
) -> None:
    path = tmp_path_factory.mktemp("pki") / "crl.pem"
    ends = NOW.replace(year=year)
    path.write_bytes(signed(serials, ends=ends, reasons=reasons))
    found = read(path)
    assert found.serials == set(serials)
    assert found.ends == ends.timestamp()


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda armour: b"",
    "cut": lambda armour: armour[:200],
    "no base64": lambda armour: armour.replace(b"M", b"!"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_no_list_is_refused_by_name(tmp_path: Path, how: str) -> None:
    (tmp_path / "crl.pem").write_bytes(SPOILT[how](signed([5])))
    with pytest.raises(ConfigError, match=r"crl\.pem: is no revocation list"):
        read(tmp_path / "crl.pem")


@settings(deadline=None, max_examples=200)
@given(cut=st.integers(min_value=0, max_value=400), junk=st.binary(max_size=8))
def test_whatever_lies_there_is_a_list_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes
) -> None:
    whole = base64.b64decode(b"".join(signed([1, 2, 3]).split(b"-----")[2].split()))
    spoilt = base64.encodebytes(whole[:cut] + junk + whole[cut + len(junk) :])
    path = tmp_path_factory.mktemp("pki") / "crl.pem"
    path.write_bytes(b"-----BEGIN X509 CRL-----\n" + spoilt + b"-----END X509 CRL-----\n")
    with contextlib.suppress(ConfigError):
        assert isinstance(read(path), Listed)


def test_a_new_list_is_looked_at_and_a_torn_one_leaves_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "crl.pem"
    path.write_bytes(signed([]))
    listed = RevocationList(tmp_path / "device-ca.crt", now=NOW.timestamp)
    assert not listed.holds(peer(0xABC))
    path.write_bytes(signed([0xABC]))
    assert listed.holds(peer(0xABC))
    path.write_bytes(b"torn")
    assert listed.holds(peer(0xABC))
    assert listed.holds(peer(0xABC))
    assert [record.levelno for record in caplog.records] == [logging.ERROR], "said once"


def test_past_its_end_it_locks_nobody_out_and_that_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "crl.pem").write_bytes(signed([0xABC], ends=NOW - dt.timedelta(days=1)))
    listed = RevocationList(tmp_path / "device-ca.crt", now=NOW.timestamp)
    for _ in range(3):
        assert listed.holds(peer(0xABC))
        assert not listed.holds(peer(0xDEF))
    assert [record.getMessage() for record in caplog.records] == [
        "Revocation list has ended; what it names stays revoked"
    ]


def test_without_a_list_nobody_counts_as_revoked_until_one_comes(tmp_path: Path) -> None:
    listed = RevocationList(tmp_path / "device-ca.crt")
    assert not listed.holds(peer(1))
    assert not listed.holds(None)
    (tmp_path / "crl.pem").write_bytes(signed([1]))
    assert listed.holds(peer(1))
