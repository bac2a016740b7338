"""What is asked of the hub over HTTPS, with the standard library alone: a room's machine has little else.

Only whoever shows a certificate of the authority that the line named is spoken to.
"""

import http.client
import ssl
from pathlib import Path
from typing import Annotated, Any

import msgspec

from shared.words.problem import HomeError

_SECONDS = 60.0
"""The hub may wait for its signer and its broker before it answers."""
_MOST_BYTES = 262_144
Pem = Annotated[str, msgspec.Meta(max_length=65536)]


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """Where the hub's broker is."""

    host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,255}\Z")]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]


class NewRoom(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub answers."""

    room: str
    certificate: Pem
    authority: Pem
    broker: Broker


class Hub:
    """The hub at `place` (HOST:PORT), believed by the certificate file `anchor`."""

    def __init__(self, place: str, anchor: Path) -> None:
        host, _, port = place.rpartition(":")
        if not host or not port.isdigit():
            raise HomeError("invalid-value", f"{place!r} is no hub; write HOST:PORT, as the line has it.")
        self._place = place
        self._origin = f"https://{host}" if port == "443" else f"https://{place}"
        try:
            self._tls = ssl.create_default_context(cafile=anchor)
        except (OSError, ssl.SSLError) as error:
            raise HomeError("invalid-value", f"{anchor} is no certificate ({error}). Paste the line again.") from error
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        # The file may be the hub's own certificate, where somebody else's authority signed that.
        self._tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self._connection = http.client.HTTPSConnection(host, int(port), timeout=_SECONDS, context=self._tls)

    def join(self, *, token: str, room: str, csr: str) -> NewRoom:
        """Bring the token and the request. Raises HomeError: what the hub says, or that it does not answer."""
        csrf, cookie = self._introduced()
        body = msgspec.json.encode({"token": token, "room": room, "csr": csr})
        headers = {
            "Content-Type": "application/json",
            "Origin": self._origin,
            "X-CSRF-Token": csrf,
            "Cookie": cookie,
        }
        _, content = self._asked("POST", "/api/v1/join", body, headers)
        try:
            answer = msgspec.json.decode(content, type=NewRoom)
        except msgspec.DecodeError as error:
            raise self._strange() from error
        if answer.room != room:
            raise HomeError("invalid-value", f"The hub speaks of room {answer.room}, the line of {room}.")
        return answer

    def _introduced(self) -> tuple[str, str]:
        """What a page would have: the token that says that a change comes from here, and its cookie."""
        headers, content = self._asked("GET", "/api/v1/csrf")
        cookies = "; ".join(line.partition(";")[0] for line in headers.get_all("Set-Cookie") or ())
        try:
            return msgspec.json.decode(content, type=dict[str, str])["csrf_token"], cookies
        except (msgspec.DecodeError, KeyError) as error:
            raise self._strange() from error

    def _asked(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPMessage, bytes]:
        try:
            self._connection.request(method, path, body, headers or {})
            response = self._connection.getresponse()
            content = response.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise HomeError("failed", self._unreached(error)) from error
        if response.status >= 400:
            raise self._problem(content, response.status)
        return response.headers, content

    def _unreached(self, error: Exception) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return (
                f"{self._place} shows a certificate that the line's authority did not sign ({error.verify_message}): "
                "it is not the hub, or somebody is in the middle. Nothing was sent. Have the hub print another line."
            )
        return f"{self._place} does not answer ({error}). Once it does, paste the line again."

    def _problem(self, content: bytes, status: int) -> HomeError:
        try:
            document: dict[str, Any] = msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.DecodeError:
            return self._strange()
        told = str(document.get("detail") or document.get("title") or f"HTTP {status}")
        if status in (429, 503):
            told += " Then paste the line again."
        return HomeError("join-refused" if status < 500 else "failed", told)

    def _strange(self) -> HomeError:
        return HomeError("failed", f"{self._place} answers as no hub of this version does. Update the hub first.")
