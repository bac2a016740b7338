"""Somebody with a browser in the third place: trusts the home's web authority and nothing else, signs in, commands."""

import email.message
import functools
import http.client
import http.cookiejar
import json
import re
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cryptography import x509

from tests.booted.mailserver import MailServer, text_of

CODE = re.compile(r"^([A-Z0-9]{4}-[A-Z0-9]{4})$", re.MULTILINE)
_SECONDS = 30.0
Dial = Callable[[str, int], ssl.SSLSocket]


class Answer(NamedTuple):
    """What an HTTP call brought."""

    status: int
    body: Any


class _Connection(http.client.HTTPSConnection):
    """Over whatever `dial` brings for a name and a port."""

    def __init__(self, host: str, *, dial: Dial, **more: Any) -> None:
        super().__init__(host, **more)
        self._dial = dial

    def connect(self) -> None:
        self.sock = self._dial(self.host, self.port)


class _Handler(urllib.request.HTTPSHandler):
    def __init__(self, dial: Dial) -> None:
        super().__init__()
        self._connect = functools.partial(_Connection, dial=dial)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connect, request)


class Visitor:
    """One person's browser."""

    def __init__(
        self, name: str, address: str, authority: str, mail: MailServer, *, port: int = 8443, days: int = 0
    ) -> None:
        """`authority`: the web authority's certificate, as the person imported it."""
        self.url = f"https://{name}:{port}"
        self._mail = mail
        self._authority = authority
        self._at = address
        self.days = days
        """By how many days the visitor's calendar is ahead of this machine's."""
        self._csrf = ""
        self._verified: set[str] = set()
        self._opener = self._new_browser()

    def sign_in(self, address: str, password: str) -> dict[str, str]:
        """Password, code out of the letter, in; who one is then. A browser without cookies each time."""
        before = self._mail.count
        login = self.begin_to_sign_in(address, password)
        # Other letters speak of codes as well: the one of a lockdown may come first.
        match = CODE.search(text_of(self._mail.wait_for(CODE, after=before)))
        assert match is not None
        answer = self.call("POST", "/api/v1/login", login | {"code": match[1]})
        assert answer.status == 200, f"signing in: {answer}"
        self._csrf = answer.body["csrf_token"]
        user: dict[str, str] = answer.body["user"]
        return user

    @property
    def host(self) -> str:
        """The hub's name, as they know it."""
        return urllib.parse.urlsplit(self.url).hostname or ""

    def look_up(self, address: str) -> None:
        """From now on the router tells that address for the hub's name."""
        self._at = address

    def another(self) -> "Visitor":
        """Somebody else's browser, who has the same authority from the hub."""
        host, _, port = self.url.removeprefix("https://").partition(":")
        return Visitor(host, self._at, self._authority, self._mail, port=int(port), days=self.days)

    def begin_to_sign_in(self, address: str, password: str) -> dict[str, str]:
        """Password given in a browser without cookies, and a code awaited; what the second request has beside that."""
        self._opener = self._new_browser()
        self._csrf = ""
        self._csrf = self.call("GET", "/api/v1/csrf").body["csrf_token"]
        login = {"email": address, "password": password}
        asked = self.call("POST", "/api/v1/login/code", login)
        assert asked.status == 202, f"asking for a code: {asked}"
        return login

    def act(self, device: str, action: str, **more: Any) -> Answer:
        """Command a device such as `hall/lamp`."""
        return self.call("POST", f"/api/v1/devices/{device}/commands", {"action": action, **more})

    def device(self, device: str) -> Any:
        """One device as the API shows it."""
        answer = self.call("GET", f"/api/v1/devices/{device}")
        return answer.body if answer.status == 200 else {"available": False, "answer": answer}

    def rooms_online(self) -> set[str]:
        """The rooms that are there, for whoever is signed in."""
        rooms = self.call("GET", "/api/v1/rooms").body["rooms"]
        return {str(room["id"]) for room in rooms if room["status"] == "online"}

    def ready(self) -> bool:
        """Whether the gateway says that it is ready."""
        try:
            return self.call("GET", "/readyz").status == 200
        except OSError:
            return False

    def served(self) -> x509.Certificate:
        """The certificate that is served now. Raises ssl.SSLError where it is not to be trusted."""
        host, _, port = self.url.removeprefix("https://").partition(":")
        with self._dial(host, int(port)) as wrapped:
            return x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")

    def call(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One call; token and origin go along."""
        sent = {"Origin": self.url, "Content-Type": "application/json", **(headers or {})}
        if self._csrf:
            sent["X-CSRF-Token"] = self._csrf
        content = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, content, sent, method=method)
        try:
            with self._opener.open(request, timeout=_SECONDS) as response:
                return _answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())

    def _dial(self, host: str, port: int) -> ssl.SSLSocket:
        """A connection to the address that the home's router tells for the name; the certificate has to be the name's.

        Raises ssl.SSLError where it is not to be trusted on the visitor's day.
        """
        trust = ssl.create_default_context(cadata=self._authority)
        if self.days:  # Python's ssl knows the true time alone: openssl's command looks at the certificate instead
            trust.check_hostname = False
            trust.verify_mode = ssl.CERT_NONE
        wrapped = trust.wrap_socket(socket.create_connection((self._at, port), _SECONDS), server_hostname=host)
        if self.days:
            self._verify(ssl.DER_cert_to_PEM_cert(wrapped.getpeercert(binary_form=True) or b""), host)
        return wrapped

    def _verify(self, certificate: str, host: str) -> None:
        if certificate in self._verified:
            return
        with tempfile.NamedTemporaryFile("w", suffix=".crt") as authority:
            authority.write(self._authority)
            authority.flush()
            then = str(int(time.time()) + self.days * 86400)
            command = ["openssl", "verify", "-x509_strict", "-CAfile", authority.name, "-attime", then]
            command += ["-purpose", "sslserver", "-verify_hostname", host]
            done = subprocess.run(command, input=certificate, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ssl.SSLError(f"day {self.days}: {done.stderr.strip()}")
        self._verified.add(certificate)

    def _new_browser(self) -> urllib.request.OpenerDirector:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        return urllib.request.build_opener(urllib.request.ProxyHandler({}), _Handler(self._dial), cookies)


def _answer(status: int, headers: email.message.Message, content: bytes) -> Answer:
    is_json = (headers.get("Content-Type") or "").partition(";")[0].endswith("json")
    return Answer(status, json.loads(content) if is_json and content else content.decode(errors="replace"))
