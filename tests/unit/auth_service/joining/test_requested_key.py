"""Which key a request is about: as OpenSSL says, and nothing else is taken for one."""

import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from auth_service.joining.requested_key import fingerprint
from shared.words.problem import HomeError

KEY = ec.generate_private_key(ec.SECP256R1())


def request(
    key: ec.EllipticCurvePrivateKey = KEY,
    name: str = "room",
    encoding: serialization.Encoding = serialization.Encoding.PEM,
) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(encoding)


def pem(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize("name", ["room", "a name that is sixty-four letters long, as many as there may be"])
def test_it_is_the_hash_of_the_public_key_whatever_else_stands_there(name: str) -> None:
    public = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert fingerprint(request(name=name).decode()) == hashlib.sha256(public).hexdigest()


def test_another_curve_is_refused_and_told() -> None:
    with pytest.raises(HomeError, match="prime256v1"):
        fingerprint(request(ec.generate_private_key(ec.SECP384R1())).decode())


@given(st.binary(max_size=200))
def test_whatever_is_no_request_is_said_to_be_none(der: bytes) -> None:
    with pytest.raises(HomeError) as refused:
        fingerprint(pem(der))
    assert refused.value.slug == "invalid-value"


@given(st.text(max_size=200))
def test_text_is_none_either(text: str) -> None:
    with pytest.raises(HomeError) as refused:
        fingerprint(text)
    assert refused.value.slug == "invalid-value"


@given(st.integers(0, 400), st.integers(0, 255))
def test_one_that_was_changed_or_cut_is_another_key_or_none(at: int, byte: int) -> None:
    der = bytearray(request(encoding=serialization.Encoding.DER))
    at %= len(der)
    der[at] = byte
    assert len(found_in(bytes(der)) or "0" * 64) == 64
    assert found_in(bytes(der[:at])) is None


def found_in(der: bytes) -> str | None:
    """None where it is said to be no request."""
    try:
        return fingerprint(pem(der))
    except HomeError as error:
        if error.slug != "invalid-value":
            raise
        return None
