"""Key files under a passphrase that is put to them with next to no work, as age-encryption.org/v1 has them.

The library of ours measures its machine, and works for seconds; what it made itself is opened in tests of sealing.
"""

import base64
import hmac
import os
import textwrap

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pyrage import passphrase as passphrases

from deploy.archives import sealing

_MOST = 64 * 1024
"""What goes into one piece of age's stream."""
_DOUBLED = 4
"""How often the work is doubled; a real one has some 18."""


class Library:
    """`pyrage.passphrase`, but for the work that goes into what it makes: whatever opens, opens by the real one."""

    decrypt = staticmethod(passphrases.decrypt)

    @staticmethod
    def encrypt(content: bytes, passphrase: str, armored: bool = False) -> bytes:
        """`content`, of at most 64 KiB, as a file of text that the passphrase opens."""
        assert armored
        assert len(content) <= _MOST
        file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
        work = Scrypt(salt=b"age-encryption.org/v1/scrypt" + salt, length=32, n=2**_DOUBLED, r=8, p=1)
        wrapped = ChaCha20Poly1305(work.derive(passphrase.encode())).encrypt(bytes(12), file_key, None)
        header = b"age-encryption.org/v1\n-> scrypt %b %d\n%b\n---" % (_b64(salt), _DOUBLED, _b64(wrapped))
        code = hmac.digest(_derived(file_key, b"header", b""), header, "sha256")
        last = bytes(11) + b"\x01"
        sealed = ChaCha20Poly1305(_derived(file_key, b"payload", nonce)).encrypt(last, content, None)
        whole = base64.b64encode(header + b" " + _b64(code) + b"\n" + nonce + sealed).decode()
        lines = ["-----BEGIN AGE ENCRYPTED FILE-----", *textwrap.wrap(whole, 64), "-----END AGE ENCRYPTED FILE-----"]
        return "".join(f"{line}\n" for line in lines).encode()


def be_thrifty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases of this test cost next to nothing."""
    monkeypatch.setattr(sealing, "passphrases", Library)


def _b64(value: bytes) -> bytes:
    return base64.b64encode(value).rstrip(b"=")


def _derived(file_key: bytes, use: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, use).derive(file_key)
