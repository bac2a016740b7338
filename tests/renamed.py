"""A home whose hub gets another name: its files, its gateway's own process, and what an older version signed."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.pki import leaf, reading
from deploy.pki.building import private_bytes
from deploy.pki.files import write
from tests.begun import begin_accounts
from tests.claimed import free_port
from tests.house import come_up, end, listens

OLD, NEW, THIRD = "old.home.arpa", "new.home.arpa", "third.home.arpa"
PORTS = ("https_port", "mqtt_port", "smtp_port", "auth_port", "alerts_port", "readings_port")


def make(var: Path) -> Home:
    settings = homes.Settings(name=OLD, smtp_sender="Home <home@example.org>", **{name: free_port() for name in PORTS})  # type: ignore[arg-type]  # ports by name
    made = homes.create(var, settings)
    begin_accounts(made)
    homes.seal(made)
    return homes.find(var)


class Gateway:
    """The gateway's own process over this home's files; neither auth nor broker runs."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.port = home.settings.https_port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "--config", str(home.config("gateway"))],
            cwd=homes.ROOT,
            stderr=subprocess.DEVNULL,
        )
        come_up(self.process, self.listens, "the gateway listens")

    def stop(self) -> None:
        """End it."""
        end([self.process])

    def listens(self) -> bool:
        return listens(self.port)


def sign_outside(home: Home) -> None:
    """What a hub whose name was changed by hand once did: the authority of the old name signs for the new."""
    ca = reading.certificate(home.pki / "web-ca.crt")
    now, key = dt.datetime.now(dt.UTC), ec.generate_private_key(ec.SECP256R1())
    certified = x509.CertificateBuilder().subject_name(leaf.subject(NEW)).issuer_name(ca.subject)
    certified = certified.serial_number(1).public_key(key.public_key())
    certified = certified.not_valid_before(now).not_valid_after(now + dt.timedelta(days=90))
    for extension, critical in leaf.extensions(leaf.web([NEW, *homes.LOCAL]), key.public_key()):
        certified = certified.add_extension(extension, critical=critical)
    signed = certified.sign(reading.private_key(home.vault / "web-ca.key"), hashes.SHA256())
    write(home.pki / "web.key", private_bytes(key), 0o600)
    write(home.pki / "web.crt", signed.public_bytes(serialization.Encoding.PEM), 0o644)
