"""Passkeys of the hub's first name under another one: Chromium asks the first whether they belong together.

With a virtual authenticator, which tells nothing of the certificate; whether the origins are related Chromium looks all
the same, as the second half shows.
"""

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Page, sync_playwright

from deploy.folder.home import Home
from deploy.pki.building import private_bytes
from deploy.pki.files import write
from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.e2e.visitor import CERTUTIL, Visitor
from tests.renamed import NEW, OLD, Gateway, make

pytestmark = pytest.mark.skipif(CERTUTIL is None, reason="needs certutil (apt install libnss3-tools)")

_MAKE = """async (name) => {
    try {
        const publicKey = {
            challenge: new Uint8Array(16), rp: { id: name, name }, pubKeyCredParams: [{ type: "public-key", alg: -7 }],
            user: { id: new Uint8Array(8), name: "a", displayName: "a" },
        };
        const { response } = await navigator.credentials.create({ publicKey });
        return JSON.parse(new TextDecoder().decode(response.clientDataJSON)).origin;
    } catch (error) { return error.name; }
}"""


def test_another_name_takes_them_where_the_first_says_so(tmp_path: Path) -> None:
    home = make(tmp_path / "var")
    authority = certify(home, OLD, NEW)
    _set(home, f'origins = ["https://{OLD}"]')  # as behind a proxy at port 443, where browsers ask
    there = f"https://{NEW}:{home.settings.https_port}"
    assert made_at_the_other_name(home, tmp_path / "friend", authority) == (1, there)


def test_another_name_takes_none_where_browsers_could_not_ask(tmp_path: Path) -> None:
    home = make(tmp_path / "var")
    authority = certify(home, OLD, NEW)
    assert made_at_the_other_name(home, tmp_path / "friend", authority) == (0, "SecurityError")


def made_at_the_other_name(home: Home, profile: Path, authority: Path) -> tuple[int, Any]:
    """Whether the door at the other name offers one; and the origin of one made there, or how that was refused."""
    gateway = Gateway(home)
    try:
        Visitor(profile, gateway.port).trust(authority, "somebody's")
        rules = f"MAP {OLD}:443 127.0.0.1:{gateway.port}, MAP {OLD} 127.0.0.1, MAP {NEW} 127.0.0.1"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[*FLAGS, f"--host-resolver-rules={rules}"],
                env={**os.environ, "HOME": str(profile)},
            )
            try:
                page = browser.new_page()
                _have_an_authenticator(page)
                page.goto(f"https://{NEW}:{gateway.port}/login")
                return page.locator("#by-passkey").count(), page.evaluate(_MAKE, OLD)
            finally:
                browser.close()
    finally:
        gateway.stop()


def certify(home: Home, *names: str) -> Path:
    """Somebody else's certificate for these names, in place of the home's own; the authority that signed it."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    hosts = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    ca = _signed("Somebody", authority, authority, x509.BasicConstraints(ca=True, path_length=0))
    web = _signed("Web", key, authority, x509.BasicConstraints(ca=False, path_length=None), hosts)
    write(home.pki / "web.key", private_bytes(key), 0o600)
    write(home.pki / "web.crt", web, 0o644)
    path = home.var / "somebody.crt"
    write(path, ca, 0o644)
    return path


def _signed(
    name: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType
) -> bytes:
    now = dt.datetime.now(dt.UTC)
    subject, issuer = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, "Somebody"))
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=80))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(by, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _set(home: Home, line: str) -> None:
    path = home.config("gateway")
    text = path.read_text()
    assert text.count("[https]\n") == 1
    path.write_text(text.replace("[https]\n", f"[https]\n{line}\n"))


def _have_an_authenticator(page: Page) -> None:
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
