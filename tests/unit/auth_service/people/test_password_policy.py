"""What a new password may be."""

import re

import pytest

from auth_service.people import password_policy
from shared.words.problem import HomeError


def refused(password: str) -> bool:
    """Whether the policy refuses it for Ada of Rosebud Cottage."""
    try:
        password_policy.check(
            password, email="ada.byron@example.org", name="Ada Lovelace", home_words=("Rosebud Cottage",)
        )
    except HomeError as error:
        return error.slug == "invalid-value"
    return False


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "1234567",
        "password",
        "Password1!",
        "P4ssw0rd2026",
        "p@$$w0rd",
        "passwordpassword",
        "qwertyuiop",
        "asdfghjkl",
        "12345678",
        "9876543210",
        "abcdefgh",
        "aaaaaaaaaa",
        "abababab",
        "31.12.1999",
        "letmein123",
        "Homesystem1",
        "Lovelace1815",
        "byron-1788",
        "rosebud!!!",
        "x" * 1025,
        "half a pair \ud800",
    ],
)
def test_poor_password_is_refused(password: str) -> None:
    assert refused(password)


COMMONPLACE = re.findall(
    r"\S+",
    """
    password1 password123 Passw0rd! P@ssw0rd123 iloveyou1 letmein123 welcome123 Welcome2024! qwerty123
    qwertyuiop1 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx 1qaz@WSX q1w2e3r4 abc12345 abcd1234 a1b2c3d4 dragon123
    monkey123 football1 sunshine1 superman1 michael1 jordan23 trustno1 Summer2024 Summer2024! Winter2023!
    Spring2025! Sommer2024 Herbst2024! hallo123 schatz123 fussball1 schalke04 sonnenschein Passwort123 geheim123
    admin1234 test1234 Test1234! changeme1 computer1 samsung1 pokemon1 starwars1 liverpool1 corvette whatever1
    blink182 metallica hello1234 tinkerbell jessica1 ashley123 correcthorsebatterystaple thisismypassword
    iloveyouforever mypassword123 letmeinplease 12345678910 123123123 qwe123qwe qweasdzxc poiuytrewq !QAZ2wsx
    Aa123456! Aa12345678 Abcd1234! raspberry1 smarthome1 haustür123 meinhaus1 meinpasswort azerty123 motdepasse1
    contraseña1 hola12345 Qwertz123! ichliebedich deutschland1 pa55word1 passpass1 undividablylovednatalie
    """,
)


@pytest.mark.parametrize("password", COMMONPLACE)
def test_what_others_choose_is_refused(password: str) -> None:
    assert refused(password)


@pytest.mark.parametrize(
    "password",
    [
        "hall-kitchen",
        "TheBlueRoom9",
        "hub.lan2026",
        "blueroomada1",
        "Rosebud-Hall-1",
        "rosébud2026",
    ],
)
def test_what_a_guesser_of_this_home_would_try_is_refused(password: str) -> None:
    words = ("Rosebud Cottage", "hub.lan", "hall", "The Blue Room")
    with pytest.raises(HomeError, match="invalid-value"):
        password_policy.check(password, email="ada.byron@example.org", name="Ada Lovelace", home_words=words)


def test_what_cannot_be_seen_makes_no_password_longer_or_better() -> None:
    assert refused("pass\u200bword")
    assert refused("ａｂｃｄ" + "\u00ad" * 20)


@pytest.mark.parametrize(
    "password",
    [
        "violet engine of numbers",
        "correct horse battery staple",
        "kitchen lamps at midnight",
        "tr0ub4dor&3x",
        "Zwölf Boxkämpfer jagen",
        "a9#kQ2!z",
        "x7Kq9mTz",
        "Ein-Fuchs-zählt-Nebel",
        "rue-cartable-vison",
        "🙂" * 3 + "ship of Theseus",
        "z y" * 341,
    ],
)
def test_good_password_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert not refused(password)


def test_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(HomeError) as refusal:
        password_policy.check("Lovelace1815", email="a@b", name="Ada Lovelace")
    assert "1815" not in str(refusal.value)
