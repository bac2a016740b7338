"""The household's mail server, in the third place: STARTTLS before anything else, a login, and every letter kept."""

import datetime as dt
import email
import email.message
import email.policy
import logging
import re
import ssl
import threading
import time
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.booted import lan

NAME = "mail.home.arpa"
PORT = 587
USER = "hub@home.arpa"
PASSWORD = "letters-of-the-hub"
logging.getLogger("mail.log").setLevel(logging.ERROR)  # at every login aiosmtpd warns of itself
AUTHORITY = "mail-authority-2.crt"
_VALID = dt.timedelta(days=3650)


def authority(folder: Path) -> Path:
    """The certificate of whoever vouches for the mail server, made once; trees are to trust it."""
    path = folder / AUTHORITY
    if not path.exists():
        _make(folder)
    return path


class MailServer:
    """Takes letters from whoever logs in over TLS."""

    def __init__(self, folder: Path) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "mail.crt", folder / "mail.key")
        self._letters: list[email.message.EmailMessage] = []
        self._came = threading.Condition()
        self._controller = Controller(
            self,
            hostname=lan.ROUTER,
            port=PORT,
            server_hostname=NAME,
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            authenticator=self._knows,
        )
        self._controller.start()

    def close(self) -> None:
        """Stop serving."""
        self._controller.stop()

    @property
    def count(self) -> int:
        """How many letters came so far."""
        with self._came:
            return len(self._letters)

    def wait_for(
        self, wanted: str | re.Pattern[str], *, after: int, seconds: float = 60.0
    ) -> email.message.EmailMessage:
        """The first letter past the first `after` in whose subject or text `wanted` is found."""
        end = time.monotonic() + seconds
        with self._came:
            while True:
                if (letter := self._about(wanted, after)) is not None:
                    return letter
                left = end - time.monotonic()
                subjects = [str(letter["Subject"]) for letter in self._letters[after:]]
                assert left > 0, f"no letter about {wanted!r} came in {seconds:.0f} s; these did: {subjects}"
                self._came.wait(left)

    def has(self, wanted: str | re.Pattern[str], *, after: int) -> bool:
        """Whether such a letter has come past the first `after`."""
        with self._came:
            return self._about(wanted, after) is not None

    def _about(self, wanted: str | re.Pattern[str], after: int) -> email.message.EmailMessage | None:
        for letter in self._letters[after:]:
            if re.search(wanted, str(letter["Subject"])) or re.search(wanted, text_of(letter)):
                return letter
        return None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """aiosmtpd's hook."""
        letter = email.message_from_bytes(envelope.original_content or b"", policy=email.policy.default)
        assert isinstance(letter, email.message.EmailMessage)
        with self._came:
            self._letters.append(letter)
            self._came.notify_all()
        return "250 kept"

    def _knows(self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, login: object) -> AuthResult:
        fits = isinstance(login, LoginPassword) and (login.login, login.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=fits)


def text_of(letter: email.message.EmailMessage) -> str:
    """A letter's plain text."""
    part = letter.get_body(("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A provider of mail, for tests")])
    authority_certificate = (
        _builder(issuer, issuer, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .add_extension(_usage(signs=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    certificate = (
        _builder(subject, issuer, key.public_key(), now)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(_usage(signs=False), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "mail.key").write_bytes(private)
    (folder / "mail.crt").write_bytes(certificate.public_bytes(pem))
    (folder / AUTHORITY).write_bytes(authority_certificate.public_bytes(pem))


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return made.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + _VALID)
