"""The page on which a phone gets the file for its app: by a code, once, and without anybody signing in."""

import re
from collections.abc import AsyncIterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from gateway.api.routes import add_api
from shared.words.internal import Registry
from shared.words.internal_joining import Joined, JoinWish
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import HEADERS, House, open_house

PAGE, CODE = "/join/phone", "kqzfmwhtbnrd"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(Registry(rooms=(parts.HALL_ENTRY,)), furnish=add_api) as made:
        yield made


async def test_it_says_what_to_do_and_where_the_broker_is(house: House) -> None:
    page = await house.get(PAGE)
    assert page.status == 200
    assert page.has("a", href="/authority")
    assert page.has("a", href="/join/home-ca.crt")
    assert "hub.home.arpa" in page.text
    assert "8883" in page.text


@pytest.mark.parametrize("typed", [CODE, "Kqzf mwht bnrd", " KQZF-MWHT-BNRD "])
async def test_the_code_brings_a_file_that_it_opens(house: House, typed: str) -> None:
    form = (await house.get(PAGE)).form(PAGE)
    async with house.browser.post(PAGE, data=form.fields | {"code": typed}, headers=HEADERS) as response:
        assert response.status == 200
        assert response.content_type == "application/x-pkcs12"
        assert response.headers["Content-Disposition"] == 'attachment; filename="tablet.p12"'
        assert response.headers["Cache-Control"] == "no-store"
        file = await response.read()
    (wish,) = house.auth.machines
    assert (wish.kind, wish.name, wish.token, wish.address) == ("phone", "", CODE, "127.0.0.1")
    key, own, others = pkcs12.load_key_and_certificates(file, CODE.encode())
    assert key is not None
    assert own is not None
    assert (key.public_key(), len(others)) == (own.public_key(), 1)
    assert own.public_key() == x509.load_pem_x509_csr(wish.csr.encode()).public_key()


@pytest.mark.parametrize("typed", ["", "kqzfmwhtbnr", "kqzfmwhtbnrdd", "kqzfmwhtbnr1", "0" * 32])
async def test_what_is_no_code_is_asked_of_nobody(house: House, typed: str) -> None:
    refused = await house.send((await house.get(PAGE)).form(PAGE), code=typed)
    assert refused.status == 422
    assert "twelve small letters" in refused.text
    assert house.auth.machines == []


async def test_why_it_is_refused_is_said_and_the_code_is_not_written_back(house: House) -> None:
    house.auth.refuses = HomeError("join-refused", "This code has brought its file already.", reason="used")
    refused = await house.send((await house.get(PAGE)).form(PAGE), code=CODE)
    assert refused.status == 403
    assert "This code has brought its file already." in refused.text
    assert not re.search(CODE, refused.text)


async def test_a_signer_that_was_away_uses_no_code_up_since_the_same_key_comes_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    faults, join = [HomeError("signer-unreachable"), HomeError("broker-unreachable")], house.auth.join

    async def noting(wish: JoinWish) -> Joined:
        asked.append(wish.csr)
        if faults:
            raise faults.pop(0)
        return await join(wish)

    monkeypatch.setattr(house.auth, "join", noting)
    for status in (503, 503, 200, 200):
        form = (await house.get(PAGE)).form(PAGE)
        async with house.browser.post(PAGE, data=form.fields | {"code": CODE}, headers=HEADERS) as response:
            assert response.status == status
    assert len(set(asked[:3])) == 1
    assert asked[3] not in asked[:3], "once it was brought the key is gone"


async def test_the_authority_of_the_broker_is_for_everybody(house: House) -> None:
    async with house.browser.get("/join/home-ca.crt") as response:
        assert (response.status, await response.read()) == (200, house.offer.device_authority())
