"""Another web authority follows under a real gateway: whom it lets in when, and a power cut at any write.

Neither auth nor broker runs: what is asked for is what everybody may have.
"""

import datetime as dt
import hashlib
import http.client
import ssl
import threading
from collections.abc import Iterator

import pytest

from deploy.authority import web_rotating
from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.running import ready
from shared.trust import authority
from shared.trust.signing import FollowWeb, Phase, RotateWeb, WebFollowing
from shared.words.names import Severity
from tests import killed
from tests.house import until
from tests.integration.signer_parts import Signer
from tests.renamed import OLD, Gateway, make

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway(make(tmp_path_factory.mktemp("home") / "var"))
    yield made
    made.stop()


class Browser:
    """Somebody who believes what was installed, and nothing besides."""

    def __init__(self, gateway: Gateway, *pems: str) -> None:
        self._port = gateway.port
        self._context = ssl.create_default_context(cadata="".join(pems))

    def get(self, path: str = "/healthz") -> tuple[int, bytes] | str:
        """Status and content over a new connection, or why the certificate is not believed."""
        connection = http.client.HTTPSConnection("localhost", self._port, timeout=10, context=self._context)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        finally:
            connection.close()

    def is_let_in(self) -> bool:
        return isinstance(self.get(), tuple)


class Visits:
    """A program that believes the file with both asks all the time."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit, name="visits")
        self.refused: list[object] = []
        self.count = 0

    def __enter__(self) -> "Visits":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._stop.is_set():
            found = self._browser.get()
            self.count += 1
            if not isinstance(found, tuple) or found[0] != http.HTTPStatus.OK:
                self.refused.append(found)


def present(home: Home) -> authority.Authority:
    found = authority.shown(home.pki / "web.crt").now
    assert found is not None
    return found


def offered(home: Home) -> authority.Authority:
    following = authority.shown(home.pki / "web.crt").following
    assert following is not None
    return following.authority


def timer(home: Home, days: float) -> bool:
    """What `homesystem renew` does, in so many days."""
    homes.renew(home)
    return web_rotating.go_on(home, NOW + dt.timedelta(days=days))


def test_the_former_is_enough_until_the_change_the_next_one_after_it_and_both_always(gateway: Gateway) -> None:
    home = gateway.home
    former = present(home)
    of_former = Browser(gateway, former.pem)
    line = hashlib.sha256(authority.anchor(home.pki / "web.crt")).hexdigest()
    assert of_former.get("/web-ca-next.crt")[0] == http.HTTPStatus.NOT_FOUND

    web_rotating.begin(home, NOW)
    follows = offered(home)
    assert follows.name == f"Home System Web CA 2 {OLD}"
    of_next, of_both = Browser(gateway, follows.pem), Browser(gateway, former.pem, follows.pem)
    for day in (0, 15, 29.9):
        assert not timer(home, day)
        assert [each.is_let_in() for each in (of_former, of_next, of_both)] == [True, False, True]
        assert ready.ask_web(home, "/healthz") == http.HTTPStatus.OK
    # What is to be installed comes over the connection for which the former one vouches.
    assert of_former.get("/web-ca-next.crt") == (200, follows.pem.encode())
    assert of_former.get("/web-ca.crt") == (200, former.pem.encode())
    page = of_former.get("/authority")
    assert isinstance(page, tuple)
    for pair in (former.fingerprint, follows.fingerprint):
        assert pair.replace(":", ":<wbr>").encode() in page[1]
    # A line that was printed before is still one for this hub.
    assert hashlib.sha256(of_former.get("/join/ca.crt")[1]).hexdigest() == line  # type: ignore[arg-type]  # let in

    with Visits(of_both) as visits:
        before = visits.count
        assert timer(home, 30.1)
        until(lambda: visits.count > before + 20, "it went on asking")
    assert not visits.refused
    assert [each.is_let_in() for each in (of_former, of_next, of_both)] == [False, True, True]
    assert ready.ask_web(home, "/healthz") == http.HTTPStatus.OK
    assert of_next.get("/web-ca.crt") == (200, follows.pem.encode())
    assert of_next.get("/web-ca-next.crt")[0] == http.HTTPStatus.NOT_FOUND
    # One from before is refused by its hash, before anything of it is believed, and says what to do (test_joining).
    assert hashlib.sha256(of_next.get("/join/ca.crt")[1]).hexdigest() != line  # type: ignore[arg-type]  # let in
    assert not timer(home, 31)


def test_a_connection_that_stands_goes_on_through_the_change(gateway: Gateway) -> None:
    home = gateway.home
    context = ssl.create_default_context(cadata=present(home).pem)
    connection = http.client.HTTPSConnection("localhost", gateway.port, timeout=10, context=context)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    socket = connection.sock
    web_rotating.begin(home, NOW)
    web_rotating.end(home)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() is not None
    assert connection.sock is socket
    connection.close()


def test_cut_at_any_write_of_the_change_it_is_finished_by_the_timer_and_nobody_who_has_both_is_refused(
    gateway: Gateway,
) -> None:
    home = gateway.home
    web_rotating.begin(home, NOW)
    _, writes = killed.at_write(lambda: web_rotating.end(home), home.var, 0)
    for number in killed.moments(writes):
        former = present(home)
        web_rotating.begin(home, NOW)
        follows = offered(home)
        code, _ = killed.at_write(lambda: web_rotating.end(home), home.var, number)
        assert code < 0
        assert Browser(gateway, former.pem, follows.pem).is_let_in(), number
        assert Browser(gateway, (home.pki / authority.FILE).read_text()).is_let_in(), number
        timer(home, 31)
        assert Browser(gateway, follows.pem).is_let_in(), number
        assert not Browser(gateway, former.pem).is_let_in(), number
        assert present(home) == follows
        assert (home.pki / authority.FILE).read_text() == follows.pem
        assert not list(home.vault.glob("next-*"))


def test_the_signer_makes_it_for_the_hubs_names_alone_and_writes_each_step_down(gateway: Gateway) -> None:
    home, hosts = gateway.home, tuple(gateway.home.settings.web_hosts)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    signer = Signer(home)
    signer.start()
    try:
        assert home.signer() == signer.path
        for step in ("serve", "end"):
            assert signer.refusal(RotateWeb(step=step, hosts=hosts)) == "forbidden"
        for day, slug in ((None, "invalid-value"), (now + dt.timedelta(days=4000), "forbidden")):
            assert signer.refusal(RotateWeb(step="begin", hosts=hosts, changes_at=day)) == slug
        assert signer.refusal(RotateWeb(step="begin", hosts=("bank.example",), changes_at=now)) == "forbidden"
        assert signer.ask(FollowWeb(hosts=hosts), WebFollowing).phase is None

        former = present(home)
        web_rotating.begin(home, now, days=7)
        web_rotating.begin(home, now, days=7)
        follows = offered(home)
        told = signer.ask(FollowWeb(hosts=hosts), WebFollowing)
        assert (told.phase, told.changes_at, told.pem) == (Phase.BELIEVED, now + dt.timedelta(days=7), follows.pem)
        assert signer.refusal(RotateWeb(step="end", hosts=hosts)) == "forbidden"
        assert timer(home, 40)
        assert Browser(gateway, follows.pem).is_let_in()
        assert not Browser(gateway, former.pem).is_let_in()
        steps = [event for event in signer.told() if event.what.startswith("home:web")]
        assert [(event.what.removeprefix("home:web-authority-"), event.severity) for event in steps] == [
            ("followed", Severity.CRITICAL),
            ("changed", Severity.CRITICAL),
            ("ended", Severity.INFO),
        ]
        assert steps[1].detail["fingerprint"] == follows.fingerprint
    finally:
        signer.stop()
