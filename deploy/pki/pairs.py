"""The folder `pki/`: the authorities' certificates, the revocation list, and a pair of key and certificate an identity.

Keys are made here; an authority sees a signing request and gives the certificate. Renewed 60 days before the end.
"""

import datetime as dt
import shutil
from collections.abc import Collection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.pki import leaf as leaves
from deploy.pki import reading
from deploy.pki.authorities import Authorities
from deploy.pki.building import private_bytes
from deploy.pki.files import write
from deploy.pki.leaf import DEVICE_CA, WEB_CA, Leaf
from deploy.pki.remote import RemoteAuthorities
from shared.running.config import ConfigError
from shared.trust import revoked
from shared.trust.former import FORMER
from shared.trust.signing import Phase

RENEW_DAYS = 60
"""A pair with no more days left than these is due."""


class Pki:
    """`folder` holds public files beside each identity's key; the authorities' keys lie apart, in `vault`.

    With `signer` another process has them, and listens there; it is told where the broker is.
    """

    def __init__(
        self,
        folder: Path,
        *,
        vault: Path,
        demo: bool,
        now: dt.datetime,
        signer: Path | None = None,
        broker_port: int = 8883,
    ) -> None:
        self.folder = folder
        self.authorities: Authorities | RemoteAuthorities = (
            Authorities(vault, demo=demo, now=now) if signer is None else RemoteAuthorities(signer, broker_port)
        )
        self._now = now

    def ensure_authorities(self, hosts: list[str], former: Collection[str] = ()) -> None:
        """Make what is missing of both authorities, and publish their certificates and a fresh revocation list."""
        for authority in (DEVICE_CA, WEB_CA):
            self.authorities.adopt(authority, self.folder / f"{authority}.crt")
        self.authorities.ensure(hosts, former)
        for authority in (DEVICE_CA, WEB_CA):
            self.publish(authority, hosts)
        self.write_crl()

    def publish(self, authority: str, hosts: Collection[str] = ()) -> None:
        """Put an authority's certificate where everybody looks for it, or those of two, where one follows another."""
        self._publish(self.folder / f"{authority}.crt", self.authorities.certificate(authority, hosts))

    def ensure_client(self, name: str, role: str, *, folder: Path | None = None, stem: str | None = None) -> bool:
        """A client certificate for identity `name`; True if a new one was made."""
        return self.ensure(leaves.client(name, role), folder or self.folder, stem or name)

    def ensure_server(self, stem: str, name: str, role: str, hosts: list[str]) -> bool:
        """A server certificate of the device CA for the broker or an internal service; True if a new one was made."""
        return self.ensure(leaves.server(name, role, hosts), self.folder, stem)

    def ensure_web(self, hosts: list[str]) -> bool:
        """The gateway's HTTPS certificate of the web CA; True if a new one was made."""
        return self.ensure(leaves.web(hosts), self.folder, "web")

    def ensure_former(self, names: Collection[str]) -> list[str]:
        """A pair for each name that the hub had, of the web CA that browsers know it by; those of other names go.

        Each lies in a folder of its own, `former/NAME/`, where the gateway finds it; returns which were made anew.
        """
        made = []
        for name in names:
            folder = self.folder / FORMER / name
            self._publish(folder / f"{WEB_CA}.crt", self.authorities.certificate(WEB_CA, [name]))
            if self.ensure(leaves.web([name]), folder, "web"):
                made.append(f"web for {name}")
        for folder in (self.folder / FORMER).glob("*"):
            if folder.name not in names:
                shutil.rmtree(folder)
        return made

    def ensure(self, leaf: Leaf, folder: Path, stem: str) -> bool:
        """A pair `stem.key`, `stem.crt` that says what `leaf` does; True if a new one was made.

        Whoever is stopped between the two leaves a pair that does not fit, which the next call makes anew.
        """
        certificate, key_file = folder / f"{stem}.crt", folder / f"{stem}.key"
        if self.fault_of(leaf, folder, stem) is None:
            return False
        key = ec.generate_private_key(ec.SECP256R1())
        signed = self.authorities.sign(leaf, _request(key, leaf.name))
        write(key_file, private_bytes(key), 0o600)
        write(certificate, signed, 0o644)
        return True

    def fault_of(self, leaf: Leaf, folder: Path, stem: str) -> str | None:
        """Why a pair on disk is to be made anew; None where it is good for `leaf`, and for some time yet."""
        authorities = self._authorities_of(leaf, folder)
        try:
            key = reading.private_key(folder / f"{stem}.key")
            certificate = reading.certificate(folder / f"{stem}.crt")
        except ConfigError as error:
            return str(error)
        if not reading.belong_together(key, certificate):
            return "key and certificate do not belong together"
        if not any(reading.is_signed_by(certificate, authority) for authority in authorities):
            return f"it is not signed by the {leaf.authority} of today"
        if not leaves.says(certificate, leaf):
            return "it says something else of its holder"
        if leaf.role == "service" and certificate.serial_number in self._revoked():
            # A room or client is asked for: what it had is refused so that another machine may come in its place.
            return "it was revoked"
        if certificate.not_valid_before_utc > self._now:
            return "it only begins later: the clock was ahead when it was made"
        if certificate.not_valid_after_utc - self._now <= dt.timedelta(days=RENEW_DAYS):
            return "it is near its end"
        return None

    def _authorities_of(self, leaf: Leaf, folder: Path) -> list[x509.Certificate]:
        """Whoever may have signed `leaf`: while an authority follows another, that which signs for it now.

        Servers are the last to follow: until everybody who calls them can, either may have signed theirs.
        """
        if leaf.authority == WEB_CA:
            return reading.certificates(folder / f"{WEB_CA}.crt")[:1]
        found = reading.certificates(self.folder / f"{DEVICE_CA}.crt")
        if leaf.serves and len(found) > 1 and self.authorities.following().phase is not Phase.SERVING:
            return found
        return found[:1]

    def _revoked(self) -> frozenset[int]:
        path = self.folder / revoked.NAME
        return revoked.read(path).serials if path.exists() else frozenset()

    def revoke(self, name: str) -> int:
        """Put every certificate of `name` on the revocation list, and the name aside; how many there were."""
        count = self.authorities.revoke(name)
        self.write_crl()
        return count

    def replace(self, name: str) -> int:
        """Put every certificate of `name` but the newest on the revocation list; how many there were."""
        count = self.authorities.replace(name)
        self.write_crl()
        return count

    def retire(self, name: str) -> int:
        """Put every certificate of `name` on the revocation list, and keep the name; how many there were."""
        count = self.authorities.retire(name)
        self.write_crl()
        return count

    def write_crl(self) -> None:
        """Publish the revocation list anew; it is empty at first, but there from the first day."""
        write(self.folder / revoked.NAME, self.authorities.crl(), 0o644)

    def _publish(self, path: Path, content: bytes) -> None:
        if not path.exists() or path.read_bytes() != content:
            write(path, content, 0o644)


def _request(key: ec.EllipticCurvePrivateKey, name: str) -> bytes:
    request = x509.CertificateSigningRequestBuilder().subject_name(leaves.subject(name)).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)
