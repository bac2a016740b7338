"""Trusting the home: a page for everybody, with the fingerprint and the certificate; and where else passkeys work."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from deploy.folder.home import lay_out
from gateway.api.routes import add_api
from gateway.config import HttpsConfig
from gateway.door import proxies
from gateway.door.authority import HomeAuthority
from gateway.door.passkey_site import PasskeySite
from gateway.door.proxies import Proxies
from gateway.pages import times
from shared.trust import authority
from shared.trust.authority import Following
from shared.words.names import Role
from tests import house as homes
from tests.unit.gateway.pages.house import HEADERS, ZONE, House, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Nobody is signed in."""
    async with open_house(furnish=add_api) as house:
        yield house


async def test_everybody_reads_how_a_device_comes_to_trust_the_home(house: House) -> None:
    page = await house.get("/authority")
    assert page.status == 200
    assert "AB: CD: EF" in page.text, "broken between pairs alone"
    assert "https://localhost:8443/authority" in page.text
    assert page.has("a", href="/web-ca.crt")
    assert "<svg" in page.body
    for system in ("Android", "iPhone, iPad", "Windows", "macOS", "Linux", "Firefox"):
        assert system in page.text


async def test_the_certificate_is_served_as_what_systems_install(house: House) -> None:
    async with house.browser.get("/web-ca.crt", headers=HEADERS) as response:
        assert response.status == 200
        assert response.content_type == "application/x-x509-ca-cert"
        assert (await response.text()).startswith("-----BEGIN CERTIFICATE-----")


async def test_a_home_of_somebody_elses_certificate_has_none_to_install(house: House) -> None:
    house.authority.found = None
    page = await house.get("/authority")
    assert page.status == 200
    assert "Nothing is to be installed here" in page.text
    assert not page.has("a", href="/web-ca.crt")
    assert (await house.get("/web-ca.crt")).status == 404


async def test_the_sign_in_page_leads_there(house: House) -> None:
    assert (await house.get("/login")).has("a", href="/authority")


async def test_the_origins_of_passkeys_are_told(house: House) -> None:
    async with house.browser.get("/.well-known/webauthn", headers=HEADERS) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        assert await response.json() == {"origins": ["https://localhost:8443"]}


async def test_no_markup_of_a_host_gets_onto_the_page(house: House) -> None:
    headers = HEADERS | {"Host": 'localhost:8443"><script>alert(1)</script>'}
    async with house.browser.get("/authority", headers=headers, allow_redirects=False) as response:
        assert "<script>alert" not in await response.text()


async def test_while_another_follows_the_page_offers_both_and_says_which_is_for_when(house: House) -> None:
    day = times.day_of(house.authority.offer_next().changes_at, datetime.now(ZONE))
    page = await house.get("/authority")
    assert f"Another authority from {day} on" in page.text
    assert "01: 23: 45" in page.text
    assert "AB: CD: EF" in page.text
    assert "“Home System Web CA 2 <hub>”" in page.text, "as text, not as markup"
    assert page.has("a", href="/web-ca.crt")
    assert page.has("a", href="/web-ca-next.crt")
    assert "Has this device a former authority" not in page.text, "the present one is to stay"
    assert not page.has("form", action="/authority/known"), "who is not signed in is reminded of nothing"
    async with house.browser.get("/web-ca-next.crt", headers=HEADERS) as response:
        assert response.status == 200
        assert response.content_type == "application/x-x509-ca-cert"
        assert 'filename="home-system-ca-next.crt"' in response.headers["Content-Disposition"]
        assert (await response.text()).endswith("next")


async def test_where_none_follows_there_is_no_next_one(house: House) -> None:
    page = await house.get("/authority")
    assert not page.has("a", href="/web-ca-next.crt")
    assert "Has this device a former authority of this home" in page.text
    assert (await house.get("/web-ca-next.crt")).status == 404


@pytest.mark.parametrize("role", list(Role))
async def test_whoever_signed_in_is_reminded_until_they_say_that_it_is_installed(house: House, role: Role) -> None:
    await house.sign_in(role)
    assert not (await house.get("/account")).has("div", id="authority-changes")
    day = times.day_of(house.authority.offer_next().changes_at, datetime.now(ZONE))
    reminded = await house.get("/account")
    assert reminded.has("div", id="authority-changes")
    assert f"On {day} this home changes to another certificate authority." in reminded.text
    page = await house.get("/authority")
    assert not page.has("div", id="authority-changes"), "it stands there at length"
    answer = await house.send(page.form("/authority/known"))
    assert answer.location == "/authority"
    cookie = answer.headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    house.browser.session.cookie_jar.update_cookies({"__Host-authority": "012345"})  # the test speaks no TLS
    assert not (await house.get("/account")).has("div", id="authority-changes")
    said = await house.get("/authority")
    assert not said.has("form", action="/authority/known")
    assert "You said that the next one is installed on this device." in said.text
    # Another one that follows later is another matter.
    follows = house.authority.offer_next().authority
    house.authority.follows = Following(
        authority=msgspec.structs.replace(follows, fingerprint="99:99"), changes_at=datetime.now(UTC)
    )
    assert (await house.get("/account")).has("div", id="authority-changes")


async def test_who_sees_the_certificate_of_a_proxy_is_not_reminded() -> None:
    def behind_a_proxy(app: web.Application) -> None:
        add_api(app)
        app[proxies.PROXIES] = Proxies(["127.0.0.1"])

    async with open_house(furnish=behind_a_proxy) as house:
        await house.sign_in(Role.MASTER)
        house.authority.offer_next()
        assert not (await house.get("/account")).has("div", id="authority-changes")


async def test_a_day_that_is_over_is_not_said(house: House) -> None:
    house.authority.offer_next(days=-3)
    assert f"from {times.day_of(datetime.now(UTC), datetime.now(ZONE))} on" in (await house.get("/authority")).text


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificates of a home that was set up."""
    made = homes.make_home(tmp_path_factory.mktemp("home"))
    lay_out(made)
    return made.pki


def https(pki: Path, **more: object) -> HttpsConfig:
    return HttpsConfig(certificate=pki / "web.crt", key=pki / "web.key", **more)  # type: ignore[arg-type]


def test_a_home_finds_its_own_authority(pki: Path) -> None:
    found = HomeAuthority(https(pki)).now()
    assert found == authority.read(pki / "web-ca.crt")
    assert found is not None
    assert len(found.fingerprint) == 95
    assert found.pem.startswith("-----BEGIN CERTIFICATE-----")


def test_the_fingerprint_is_that_of_the_certificate_itself(pki: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    certificate = x509.load_pem_x509_certificate((pki / "web-ca.crt").read_bytes())
    shown = authority.read(pki / "web-ca.crt").fingerprint
    assert bytes.fromhex(shown.replace(":", "")) == certificate.fingerprint(hashes.SHA256())


def test_an_authority_that_did_not_sign_it_is_not_shown(pki: Path, tmp_path: Path) -> None:
    (tmp_path / "web.crt").write_bytes((pki / "web.crt").read_bytes())
    (tmp_path / "web-ca.crt").write_bytes((pki / "device-ca.crt").read_bytes())
    assert HomeAuthority(https(tmp_path)).now() is None
    (tmp_path / "web-ca.crt").write_text("no certificate")
    assert HomeAuthority(https(tmp_path)).now() is None
    (tmp_path / "web-ca.crt").unlink()
    assert HomeAuthority(https(tmp_path)).now() is None


def test_passkeys_work_under_other_names_where_browsers_can_find_that_out(pki: Path) -> None:
    names = ("second.example", "192.0.2.7", "*.third.example", "2001:db8::1")
    site = PasskeySite(https(pki, port=443, names=names, passkey_name="home.example")).site()
    assert site is not None
    assert site.origins[0] == "https://home.example"
    assert "https://second.example" in site.origins
    assert not [
        one
        for one in site.origins
        if "192." in one or "*" in one or "db8" in one or "127." in one or "localhost" in one
    ]


def test_passkeys_work_under_one_name_where_browsers_could_not_ask(pki: Path) -> None:
    site = PasskeySite(https(pki, port=8443, names=("second.example",), passkey_name="home.example")).site()
    assert site is not None
    assert site.origins == ("https://home.example:8443",)


def test_behind_a_proxy_its_other_names_count(pki: Path) -> None:
    origins, names = ("https://home.example", "https://elsewhere.example"), ("second.example",)
    site = PasskeySite(https(pki, port=8443, origins=origins, names=names, passkey_name="home.example")).site()
    assert site is not None
    assert {"https://home.example", "https://second.example:8443"} <= set(site.origins)
    assert "https://elsewhere.example" not in site.origins


def test_of_many_names_no_more_are_told_than_browsers_look_at(pki: Path) -> None:
    names = tuple(f"name-{number}.example" for number in range(20))
    site = PasskeySite(https(pki, port=443, names=names, passkey_name="home.example")).site()
    assert site is not None
    assert len(site.origins) <= 5
