"""Keys that wait for a second try: each once, few, and not for long."""

from gateway.desk import pkcs12
from gateway.desk.phone_keys import MOST, SECONDS, PhoneKeys


def test_one_is_taken_once() -> None:
    keys, pair = PhoneKeys(), pkcs12.make()
    assert keys.take("a code") is None
    keys.keep("a code", pair)
    assert keys.take("another") is None
    assert keys.take("a code") is pair
    assert keys.take("a code") is None


def test_none_is_kept_for_longer_than_its_code() -> None:
    now = 0.0
    keys, pair = PhoneKeys(lambda: now), pkcs12.make()
    keys.keep("a code", pair)
    now = SECONDS - 1
    assert keys.take("a code") is pair
    keys.keep("a code", pair)
    now += SECONDS
    assert keys.take("a code") is None


def test_the_oldest_goes_before_they_are_many() -> None:
    keys, pair = PhoneKeys(), pkcs12.make()
    for number in range(MOST + 1):
        keys.keep(str(number), pair)
    assert keys.take("0") is None
    assert all(keys.take(str(number)) is pair for number in range(1, MOST + 1))
