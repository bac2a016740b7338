"""A key, a signing request for it, and both with the certificate as one file (PKCS #12): for apps that make no key.

All of it is in memory, for as long as one request takes. Owns the library; imported when a phone first asks.
"""

from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12


class Pair(NamedTuple):
    """A key that lies nowhere, and the request (PEM) for its certificate."""

    key: ec.EllipticCurvePrivateKey
    request: str


def make() -> Pair:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Whose it is the hub knows by the code: the name in the request counts for nothing.
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return Pair(key, request.public_bytes(serialization.Encoding.PEM).decode())


def packed(pair: Pair, *, name: str, certificate: str, authority: str, passphrase: str) -> bytes:
    """The file. Sealed as every phone reads it, triple DES and SHA-1: with AES Android and older iPhones say that the
    password is wrong (docs/decisions/0066). What keeps it closed is the passphrase: 54 random bits.
    """
    # PKCS #12 is told so what it is to be sealed with.
    sealed = (
        PrivateFormat.PKCS12.encryption_builder()
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303 - as above
        .build(passphrase.encode())
    )
    return pkcs12.serialize_key_and_certificates(
        name.encode(),
        pair.key,
        x509.load_pem_x509_certificate(certificate.encode()),
        x509.load_pem_x509_certificates(authority.encode()),
        sealed,
    )
