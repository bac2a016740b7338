"""A passkey's device in software: what a browser hands over, as W3C WebAuthn 3 has it, right or wrong."""

import hashlib
import json
import secrets
from typing import Any

import cbor2
import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from shared.words.internal_passkeys import Credential

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One device with one passkey; `counts`: it counts how often it is used."""

    def __init__(self, origin: str, *, counts: bool = True) -> None:
        self.origin = origin
        self.counts = counts
        self.count = 0
        self.verifies = True
        self.user_handle = ""
        self.id = secrets.token_bytes(32)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: dict[str, Any]) -> Credential:
        """The answer to `navigator.credentials.create`."""
        self.user_handle = options["user"]["id"]
        numbers = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(key)
        said = self._said(options["rp"]["id"], _ATTESTED) + attested
        response = {
            "clientDataJSON": bytes_to_base64url(self._client("webauthn.create", options)),
            "attestationObject": bytes_to_base64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": said})),
        }
        return self._credential(response)

    def show(self, options: dict[str, Any]) -> Credential:
        """The answer to `navigator.credentials.get`."""
        self.count += self.counts
        client, said = self._client("webauthn.get", options), self._said(options["rpId"], 0)
        signature = self._key.sign(said + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": bytes_to_base64url(client),
            "authenticatorData": bytes_to_base64url(said),
            "signature": bytes_to_base64url(signature),
            "userHandle": self.user_handle,
        }
        return self._credential(response)

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        assert len(base64url_to_bytes(options["challenge"])) == 32
        return json.dumps(
            {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        ).encode()

    def _said(self, name: str, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        return hashlib.sha256(name.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _credential(self, response: dict[str, str]) -> Credential:
        own = bytes_to_base64url(self.id)
        return msgspec.convert({"id": own, "rawId": own, "type": "public-key", "response": response}, Credential)
