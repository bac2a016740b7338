"""Each answer: what is taken and how, and that a refusal says what would be right."""

import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.founding import checks
from shared.words.problem import HomeError


def refusal(check: object, *arguments: object, **named: object) -> str:
    with pytest.raises(HomeError) as caught:
        check(*arguments, **named)  # type: ignore[operator]
    assert caught.value.slug == "invalid-value"
    return caught.value.detail


@pytest.mark.parametrize(
    ("typed", "taken"),
    [("Hub.Local", "hub.local"), ("hub", "hub"), ("hub.home.arpa.", "hub.home.arpa"), (" 192.168.1.5 ", "192.168.1.5")],
)
def test_a_name_is_taken_as_browsers_write_it(typed: str, taken: str) -> None:
    assert checks.host_name(typed) == taken


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("localhost", "that device itself"),
        ("hub.localhost", "that device itself"),
        ("127.0.0.1", "that device itself"),
        ("0.0.0.0", "that device itself"),
        ("häuschen.local", "xn--huschen-5wa.local"),
        ("my hub", "is no host name"),
        ("hub_1.local", "is no host name"),
        ("-hub", "is no host name"),
        ("", "is no host name"),
        ("a" * 64, "is no host name"),
        ("a" * 30 + "." + "b" * 34, "too long for a certificate"),
        ("a." * 127 + "ab", "too long for a certificate"),
        ("192.168.1", "is no address"),
        ("fe80::1", "is no host name"),
        ("https://hub.local", "is no host name"),
    ],
)
def test_what_is_no_name_for_a_hub_is_told_why(typed: str, said: str) -> None:
    assert said in refusal(checks.host_name, typed)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_a_name_that_is_taken_stays_what_it_is(text: str) -> None:
    try:
        name = checks.host_name(text)
    except HomeError:
        return
    assert checks.host_name(name) == name
    assert name.isascii()


def test_a_zone_is_taken_by_its_right_name_and_a_wrong_one_names_the_nearest() -> None:
    assert checks.time_zone("europe/paris") == "Europe/Paris"
    assert "Did you mean Europe/Paris" in refusal(checks.time_zone, "Europe/Pariss")
    assert "written like Europe/Berlin" in refusal(checks.time_zone, "%%%%")


def test_a_password_follows_the_rules_of_the_auth_service() -> None:
    known: dict[str, Any] = {"of_email": "ada@example.org", "of_name": "Ada Lovelace"}
    assert checks.password("correct horse battery", **known) == "correct horse battery"
    assert "too short" in refusal(checks.password, "short", **known)
    assert "tried first" in refusal(checks.password, "Lovelace2024!", **known)


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("Mail.example.org", ("mail.example.org", 587)),
        ("mail:465", ("mail", 465)),
        (" 127.0.0.1:25 ", ("127.0.0.1", 25)),
    ],
)
def test_a_mail_server_may_have_a_port(typed: str, taken: tuple[str, int]) -> None:
    assert checks.mail_server(typed, 587) == taken


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "no mail server"),
        ("a b", "no mail server"),
        (":25", "no mail server"),
        ("m:x", "no port"),
        ("m:70000", "no port"),
        ("m:0", "no port"),
    ],
)
def test_what_is_no_mail_server_is_told(typed: str, said: str) -> None:
    assert said in refusal(checks.mail_server, typed, 587)


def test_a_port_is_in_range_free_and_nobody_elses() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert "stop what listens there" in refusal(checks.free_port, port, {}, host="::")
        assert "stop what listens there" in refusal(checks.free_port, port, {}, host="127.0.0.1")
    assert checks.free_port(port, {}, host="::") == port
    assert "is the one for browsers" in refusal(checks.free_port, port, {port: "browsers"}, host="127.0.0.1")
    for number in (0, -1, 65536):
        assert "from 1 to 65535" in refusal(checks.free_port, number, {}, host="127.0.0.1")
