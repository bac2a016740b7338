"""Another authority follows in a home in use. The device authority: no command is lost; who slept is refused, and comes
back. The web authority: people install it in time, and whoever has not is warned.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.pki import reading
from tests.demo import Demo
from tests.e2e import actions
from tests.e2e.conftest import own_home
from tests.e2e.visitor import CERTUTIL, Visitor
from tests.house import until
from tests.integration.rotating_parts import gets_in

REBIRTHS = 4
"""So often a room that runs on the hub connects anew: for what is believed, for its pair, and the same in the end."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    limits = ("commands", "commands_device", "login_code", "login")
    with own_home(tmp_path_factory.mktemp("home") / "var", *limits) as made:
        yield made


class Household:
    """Somebody who switches a lamp all the time, and again where nothing was sent, or nobody knows what came of it.

    The second is said of what was sent to a room that was just being born anew.
    """

    def __init__(self, demo: Demo) -> None:
        self._client = demo.client("master")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._switch, name="household")
        self.lost: list[object] = []
        self.unknown = 0
        self.executed = 0

    def __enter__(self) -> "Household":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _switch(self) -> None:
        while not self._stop.is_set():
            answer = self._client.act("hall/lamp", "off" if self.executed % 2 else "on")
            if answer.status == 200 and answer.body["outcome"] == "executed":
                self.executed += 1
            elif answer.status == 504:
                self.unknown += 1
            elif answer.status != 503:
                self.lost.append((answer.status, answer.body))

    def went_on(self) -> None:
        """Wait until it has switched a few times more."""
        before = self.executed
        until(lambda: self.executed > before + 5, "commands are executed")


def test_commands_flow_while_another_authority_follows_and_the_former_one_ends(own: Demo, tmp_path: Path) -> None:
    assert own.command("room", "add", "attic", "--out", str(tmp_path / "attic")).returncode == 0
    port, pki = own.ports["MQTT"], own.home.pki
    assert gets_in(port, tmp_path / "attic", "room")
    edges = len(own.edges("hall", "lamp"))
    with Household(own) as household:
        household.went_on()
        rotated = own.command("authority", "rotate")
        assert rotated.returncode == 0, rotated.stderr
        assert "Room attic has not been heard of" in rotated.stdout
        household.went_on()
        assert gets_in(port, tmp_path / "attic", "room")
        # The rooms of a demo run on the hub, and go with it; the attic is off all the time.
        assert own.command("renew").returncode == 0
        assert len(reading.certificates(pki / "device-ca.crt")) == 2
        refused = own.command("authority", "rotate", "--finish")
        assert (refused.returncode, "attic would be cut off" in refused.stderr) == (1, True)
        household.went_on()
        finished = own.command("authority", "rotate", "--finish", "--without", "attic")
        assert finished.returncode == 0, finished.stderr
        assert "Room attic is cut off" in finished.stdout
        household.went_on()
        assert len(reading.certificates(pki / "device-ca.crt")) == 1
        assert not gets_in(port, tmp_path / "attic", "room")
        renewed = own.command("room", "renew", "attic", "--out", str(tmp_path / "again"))
        assert renewed.returncode == 0, renewed.stderr
        assert gets_in(port, tmp_path / "again", "room")
        household.went_on()
    assert household.lost == []
    assert household.unknown <= REBIRTHS
    # Each wish moved the lamp once: a repeated one moves nothing where the first did.
    assert len(own.edges("hall", "lamp")) - edges == household.executed
    letters = [letter["Subject"] for letter in own.letters()]
    until(
        lambda: [
            subject
            for subject in (letter["Subject"] for letter in own.letters())
            if "former authority has ended" in subject
        ],
        f"the master user is told, besides {letters}",
    )
    assert own.command("audit", "verify").returncode == 0


@pytest.mark.skipif(CERTUTIL is None, reason="needs certutil (apt install libnss3-tools)")
def test_a_browser_with_the_next_web_authority_goes_on_and_one_without_is_warned(own: Demo, tmp_path: Path) -> None:
    port, present, followed = own.ports["HTTPS"], tmp_path / "present.crt", tmp_path / "next.crt"
    present.write_text(own.command("authority").stdout)
    told, untold = (Visitor(tmp_path / name, port) for name in ("told", "untold"))
    for each in (told, untold):
        each.trust(present, "the present one")
    rotated = own.command("authority", "rotate", "web")
    assert rotated.returncode == 0, rotated.stderr
    assert own.command("doctor").returncode == 0
    with told.page() as page:
        actions.sign_in(page, own, "member")
        page.get_by_role("link", name="Install it on this device first").click()
        with page.expect_download() as loading:
            page.get_by_role("link", name="Load the next certificate").click()
        loading.value.save_as(followed)
        page.get_by_role("button", name="It is installed on this device").click()
        page.get_by_text("You said that the next one is installed").wait_for()
        page.goto(own.url)
        assert page.locator("#authority-changes").count() == 0
    assert followed.read_text() == own.command("authority", "next").stdout
    told.trust(followed, "the next one")

    finished = own.command("authority", "rotate", "web", "--finish")
    assert finished.returncode == 0, finished.stderr
    assert "ign in" in told.sees("localhost")
    assert "ERR_CERT_AUTHORITY_INVALID" in untold.sees("localhost")
    assert own.command("doctor").returncode == 0
    letters = {"Browsers are to know another authority", "Browsers are shown another authority"}
    until(
        lambda: letters <= {str(letter["Subject"]).partition(" — ")[0] for letter in own.letters()},
        "the master user is told of both",
    )
    assert own.command("audit", "verify").returncode == 0
