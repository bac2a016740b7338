"""What the hub's screen shows for a phone: an address without a secret, and the code beside it."""

from datetime import UTC, datetime, timedelta

from deploy.enrolling import phone
from deploy.enrolling.opening import Opening
from gateway.pages import qr

CODE = "kqzfmwhtbnrd"


def opening() -> Opening:
    return Opening("tablet", "hub.home.arpa", 8443, "ab" * 32, CODE, datetime.now(UTC) + timedelta(minutes=10))


def test_the_code_stands_on_the_screen_and_in_no_address() -> None:
    shown = phone.screen(opening(), "AB:CD", coloured=False)
    assert shown.address == "https://hub.home.arpa:8443/join/phone"
    assert CODE not in shown.text.replace(" ", "").replace("kqzfmwhtbnrd(withoutthegaps)", "", 1)
    assert "kqzf mwht bnrd" in shown.text
    assert "for 10 minutes" in shown.text
    assert "https://hub.home.arpa:8443/authority" in shown.text
    assert "The fingerprint there must be AB:CD" in shown.text
    assert "fingerprint" not in phone.screen(opening(), None, coloured=False).text


def test_the_picture_is_the_addresss_light_on_dark_whatever_the_terminal_is() -> None:
    lines = qr.lines("https://hub.home.arpa:8443/join/phone")
    assert phone.screen(opening(), None, coloured=False).text.splitlines()[: len(lines)] == lines
    coloured = phone.screen(opening(), None, coloured=True).text.splitlines()[: len(lines)]
    assert coloured == [f"\x1b[40;97m{line}\x1b[0m" for line in lines]
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 20
