"""Owns webauthn: what browsers are asked for to make and to show a passkey, and whether what comes back is right.

What is asked for is named, each time: a passkey that is found without a name being typed, by who proved at the device
that it is them (W3C WebAuthn 3; ASVS 6.5.7, 6.7.2). The library's own defaults ask for less.
"""

import hashlib
import json
from typing import Any, Final

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from shared.words.internal import User
from shared.words.internal_passkeys import Credential, Site

_TIMEOUT_MS: Final = 5 * 60 * 1000


class UnfitError(Exception):
    """What the browser sent is no answer to what it was asked."""


class Made(msgspec.Struct, frozen=True):
    """A passkey that was just made. All but the count in base64url."""

    credential: str
    public_key: str
    count: int


def wish_to_make(site: Site, user: User, challenge: str, known: tuple[str, ...]) -> dict[str, Any]:
    """What `navigator.credentials.create` is given; `known`: credentials of this person, not to be made twice."""
    options = webauthn.generate_registration_options(
        rp_id=site.name,
        rp_name="Home System",
        user_name=user.email,
        user_display_name=user.name,
        user_id=user.id.encode(),
        challenge=base64url_to_bytes(challenge),
        timeout=_TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known],
    )
    return _plain(webauthn.options_to_json(options))


def wish_to_show(site: Site, challenge: str, of: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `navigator.credentials.get` is given: any passkey of this home, whosever it is, or one `of` these."""
    options = webauthn.generate_authentication_options(
        rp_id=site.name,
        challenge=base64url_to_bytes(challenge),
        timeout=_TIMEOUT_MS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in of],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _plain(webauthn.options_to_json(options))


def made(site: Site, challenge: str, answer: Credential) -> Made:
    """The passkey that a browser made for that challenge. Raises UnfitError."""
    try:
        verified = webauthn.verify_registration_response(
            credential=_asked(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.name,
            expected_origin=list(site.origins),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise UnfitError(str(error)) from error
    return Made(
        bytes_to_base64url(verified.credential_id),
        bytes_to_base64url(verified.credential_public_key),
        verified.sign_count,
    )


def shown(site: Site, challenge: str, answer: Credential, *, user_id: str, public_key: str, count: int) -> int:
    """The count that a passkey shows with its answer to that challenge. Raises UnfitError."""
    try:
        # The library compares the person with nothing.
        if base64url_to_bytes(answer.response.user_handle or "") != user_id.encode():
            raise UnfitError("the passkey is somebody else's")
        return webauthn.verify_authentication_response(
            credential=_asked(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.name,
            expected_origin=list(site.origins),
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=count,
            require_user_verification=True,
        ).new_sign_count
    except (WebAuthnException, ValueError) as error:
        raise UnfitError(str(error)) from error


def found_by(credential: str) -> str:
    """By what a credential is found: ids are up to 1023 bytes long."""
    return hashlib.sha256(credential.rstrip("=").encode()).hexdigest()


def _asked(answer: Credential) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(answer)
    return plain


def _plain(text: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(text)
    return plain
