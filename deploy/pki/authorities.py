"""The two authorities in their vault: they sign what a request gives the key for, and keep the revocation list.

The device CA signs broker, services, rooms and clients; the web CA, name-constrained to the hub's names, signs
the gateway's HTTPS certificate alone. EC P-256 throughout; leaves live 90 days.
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509

from deploy.pki import building, reading, vaulted
from deploy.pki.building import Key
from deploy.pki.files import write
from deploy.pki.index import Index, Issued
from deploy.pki.leaf import DEVICE_CA, WEB_CA, Leaf
from deploy.pki.rotation import NEXT, Rotation
from deploy.pki.vaulted import CA_DAYS
from deploy.pki.web import WebAuthorities
from shared.running.config import ConfigError
from shared.trust.signing import End, Following, Holder, Phase, Step, WebFollowing, WebStep
from shared.words.problem import HomeError

LEAF_DAYS = 90
CRL_DAYS = 30


class Authorities:
    """A folder of its own (0700): each authority's key and certificate, and the index of what the device CA signed.

    The index is changed by one process at a time; whoever makes authorities holds the home's lock.
    """

    def __init__(self, vault: Path, *, demo: bool, now: dt.datetime) -> None:
        self._vault = vault
        self._index = Index(vault / "issued.json", now)
        self._rotation = Rotation(vault)
        self._mark = "DEMO " if demo else ""
        self._now = now
        self.web = WebAuthorities(vault, mark=self._mark, now=now)

    def ensure(self, hosts: Iterable[str], former: Iterable[str] = ()) -> None:
        """Make the authorities that are missing. `hosts`: names and addresses that a web CA is to vouch for.

        A hub that is renamed gets another web CA beside the one it has, for the new name alone; `former` are the names
        that browsers may still use.
        """
        hosts = tuple(hosts)
        self._vault.mkdir(parents=True, exist_ok=True)
        self._vault.chmod(0o700)
        if not self.exists(DEVICE_CA):
            vaulted.make(self._vault, DEVICE_CA, f"{self._mark}Home System Device CA", self._now)
        self.web.ensure(hosts)
        self.keep([hosts[0], *former])

    def keep(self, names: Iterable[str]) -> None:
        """Note by which names browsers reach the hub now: the end of a certificate for another is nobody's concern."""
        self._index.keep(WEB_CA, names)

    def lacks(self, hosts: Iterable[str]) -> tuple[str, ...]:
        """Which authorities `ensure` would make."""
        missing = [] if self.exists(DEVICE_CA) else [DEVICE_CA]
        return (*missing, *([] if self.web.find(hosts) is not None else [WEB_CA]))

    def exists(self, authority: str) -> bool:
        """Whether an authority was made; its certificate is written last."""
        return (self._vault / f"{authority}.crt").exists()

    def adopt(self, authority: str, certificate: Path) -> None:
        """Take the certificate of an authority whose key lies here alone, as older versions left it.

        Raises ConfigError where neither lies here: what that authority signed would be worth nothing under another.
        """
        key = self._vault / f"{authority}.key"
        if not self.exists(authority) and certificate.exists():
            if not key.exists():
                raise ConfigError(f"{key}: the authority is gone; restore {self._vault} from a backup")
            if not reading.belong_together(reading.private_key(key), reading.certificate(certificate)):
                raise ConfigError(f"{certificate}: is not of the key {key}; restore both from a backup")
            write(self._vault / f"{authority}.crt", certificate.read_bytes(), 0o644)

    def certificate(self, authority: str, hosts: Iterable[str] = ()) -> bytes:
        """An authority's own certificate, PEM; of the web's that which may vouch for `hosts`. Raises as `sign` does.

        While an authority follows another it is those of both, that which signs (for rooms) first.
        """
        if authority == DEVICE_CA:
            return b"".join(building.pem(self._pair(name)[1]) for name in self._device_cas())
        return b"".join(building.pem(each) for each in self.web.believed(hosts))

    def voucher(self) -> bytes:
        """The device authority's word for the key of the one that follows it, PEM; empty where none does."""
        return b"" if self._rotation.phase() is None else self._rotation.voucher()

    def sign(self, leaf: Leaf, request: bytes, *, former: bool = False) -> bytes:
        """A certificate (PEM) that says what `leaf` does, for the key of a signing request (PEM, PKCS #10).

        The request gives the key alone; its own names and extensions are not looked at. `former`: by the device
        authority that is followed by another, whoever signs now. Raises HomeError("invalid-value") where its signature
        is not by that key, or the key is not on P-256, and HomeError("forbidden") for a name that was taken back, and
        where no web CA may vouch for the names: browsers would refuse what it signed.
        """
        public = building.requested_key(request)
        if leaf.role in ("room", "client") and any(line.gone for line in self.issued() if line.name == leaf.name):
            raise HomeError("forbidden", f"The name {leaf.name} was taken back, for good.")
        name = WEB_CA if leaf.authority == WEB_CA else self._device_signer(leaf, former=former)
        signer = self.web.signer(leaf.hosts) if leaf.authority == WEB_CA else self._pair(name)
        signed = building.certificate(leaf, public, signer, self._now, LEAF_DAYS)
        # Noted before it is given out: what is not in the index could not be revoked.
        line = Issued(
            serial=signed.serial_number,
            name=leaf.name,
            role=leaf.role or "",
            not_after=self._now + dt.timedelta(days=LEAF_DAYS),
            authority=leaf.authority,
            by=building.key_id(signer[1]) if name == NEXT else "",
        )
        self._index.add(line)
        return building.pem(signed)

    def rotate(self, step: Step) -> bool:
        """Take a step towards the device authority that follows; False where it was taken before.

        Raises HomeError("invalid-value") where it is not this step's turn.
        """
        match step:
            case "begin":
                return self._begin()
            case "sign":
                return self._rotation.move(Phase.SIGNING)
            case "serve":
                return self._rotation.move(Phase.SERVING)
        if self._rotation.phase() is Phase.SERVING:
            # First, so that nothing of the former's is taken for good once its lists are signed no more.
            self._index.end_former(building.key_id(self._pair(NEXT)[1]))
        return self._rotation.end()

    def following(self) -> Following:
        """How far the device authority is followed by another. Raises ConfigError."""
        phase = self._rotation.phase()
        former = self._pair(DEVICE_CA)[1]
        if phase is None:
            return Following(phase=None, ends=former.not_valid_after_utc)
        followed = self._pair(NEXT)[1]
        since = followed.not_valid_before_utc + building.SKEW
        holders = _holders(self.issued(), building.key_id(followed), self._now)
        return Following(phase=phase, ends=former.not_valid_after_utc, since=since, holders=holders)

    def rotate_web(self, step: WebStep, hosts: Iterable[str], changes_at: dt.datetime | None = None) -> bool:
        """Take a step towards the web authority that follows; see `WebAuthorities.rotate`."""
        return self.web.rotate(step, hosts, changes_at)

    def following_web(self, hosts: Iterable[str]) -> WebFollowing:
        """How far the web authority for `hosts` is followed by another. Raises as `sign` does."""
        return self.web.following(hosts)

    def revoke(self, name: str) -> int:
        """Take a name back for good: all its certificates are on the lists signed from now on; how many there were.

        Of one that was given out by a later index than this one nothing is known but that it is never signed again.
        """
        if not any(line.name == name and line.authority == DEVICE_CA for line in self.issued()):
            ours, now = x509.random_serial_number(), self._now
            self._index.add(Issued(serial=ours, name=name, role="client", not_after=now, revoked_at=now, gone=True))
            return 0
        return self._index.note(name, lambda of_name: of_name, gone=True)

    def replace(self, name: str) -> int:
        """Put all certificates of a name but the newest on the lists signed from now on; how many there were."""
        return self._index.note(name, lambda of_name: of_name[:-1], gone=False)

    def retire(self, name: str) -> int:
        """Put all certificates of a name on the lists signed from now on, and keep the name; how many there were.

        Another machine is awaited under it.
        """
        return self._index.note(name, lambda of_name: of_name, gone=False)

    def take_over(self, lines: Iterable[Issued]) -> None:
        """What a newer index of the same authorities has, revocations above all."""
        self._index.take_over(lines)

    def issued(self) -> list[Issued]:
        """What was signed, the newest last. Raises ConfigError where the index cannot be read."""
        return self._index.read()

    def newest(self) -> list[Issued]:
        """The newest line of each name and use, and one for each authority, whose role is `authority`."""
        found = self._index.newest()
        own = []
        for authority in (DEVICE_CA, *self.web.names()):
            if self.exists(authority):
                ca = self._pair(authority)[1]
                end = ca.not_valid_after_utc
                own.append(Issued(serial=ca.serial_number, name=authority, role="authority", not_after=end))
        return [*found, *own]

    def crl(self) -> bytes:
        """A fresh revocation list of each device CA that is believed, PEM, good for CRL_DAYS; at first with nobody."""
        # What has ended needs no place on the list any more.
        revoked = [
            (line.by, line.serial, line.revoked_at)
            for line in self.issued()
            if line.revoked_at is not None and line.authority == DEVICE_CA and line.not_after > self._now
        ]
        names = self._device_cas()
        followed = building.key_id(self._pair(NEXT)[1]) if NEXT in names else ""
        lists = []
        for name in names:
            own = [(serial, at) for by, serial, at in revoked if not followed or (by == followed) is (name == NEXT)]
            lists.append(building.revocations(self._pair(name), own, self._now, CRL_DAYS))
        return b"".join(lists)

    def ends(self) -> tuple[End, ...]:
        """When the newest certificate of each name ends, and the authorities; of names that stand."""
        standing = [line for line in self.newest() if line.revoked_at is None and not line.gone]
        return tuple(End(name=line.name, role=line.role, at=line.not_after) for line in standing)

    def _device_cas(self) -> tuple[str, ...]:
        """The device authorities that are believed, that which signs for rooms first."""
        match self._rotation.phase():
            case None:
                return (DEVICE_CA,)
            case Phase.BELIEVED:
                return (DEVICE_CA, NEXT)
        return (NEXT, DEVICE_CA)

    def _device_signer(self, leaf: Leaf, *, former: bool) -> str:
        phase = self._rotation.phase()
        follows = phase is Phase.SERVING or (phase is Phase.SIGNING and not leaf.serves)
        return NEXT if follows and not former else DEVICE_CA

    def _begin(self) -> bool:
        key, former = self._pair(DEVICE_CA)
        begins, ends = self._now - building.SKEW, self._now + dt.timedelta(days=CA_DAYS)
        return self._rotation.begin(
            lambda new: building.authority(new, former.subject, begins=begins, ends=ends),
            lambda made: building.voucher(made, former, key),
        )

    def _pair(self, authority: str) -> tuple[Key, x509.Certificate]:
        return vaulted.pair(self._vault, authority)


def _holders(issued: Iterable[Issued], followed: str, now: dt.datetime) -> tuple[Holder, ...]:
    """Rooms and clients with a certificate of the former authority that is still good, by name."""
    lines: dict[str, list[Issued]] = {}
    for line in issued:
        if line.role in ("room", "client") and line.authority == DEVICE_CA:
            lines.setdefault(line.name, []).append(line)
    found = []
    for name, own in sorted(lines.items()):
        good = [line for line in own if line.revoked_at is None and line.not_after > now]
        of_former = [line.not_after for line in good if line.by != followed]
        if of_former and not own[-1].gone:
            serials = tuple(f"{line.serial:X}" for line in good if line.by == followed)
            found.append(Holder(name=name, role=own[-1].role, until=max(of_former), serials=serials))
    return tuple(found)
