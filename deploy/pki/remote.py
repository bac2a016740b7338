"""The authorities where another process has them, the signer: the same as in one's own vault, over its socket."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from deploy.pki.leaf import Leaf
from shared.trust import signing
from shared.trust.signing import Changed, End, Ending, Following, Pem, Step, WebFollowing, WebStep


class RemoteAuthorities:
    """What `Authorities` does, asked of the signer at `socket`.

    Raises HomeError: what the signer says, or "signer-unreachable".
    """

    def __init__(self, socket: Path, broker_port: int) -> None:
        self._socket = socket
        self._broker_port = broker_port

    def adopt(self, authority: str, certificate: Path) -> None:
        """The signer has its own."""

    def ensure(self, hosts: Iterable[str], former: Iterable[str] = ()) -> None:
        """Have the authorities made that are missing."""
        order = signing.Found(hosts=tuple(hosts), former=tuple(former), broker_port=self._broker_port)
        signing.ask(self._socket, order, Changed)

    def certificate(self, authority: str, hosts: Iterable[str] = ()) -> bytes:
        """An authority's own certificate, PEM; of the web's that which may vouch for `hosts`."""
        return self._shown(authority, tuple(hosts))

    def voucher(self) -> bytes:
        """The device authority's word for the key of the one that follows it, PEM; empty where none does."""
        return self._shown("voucher")

    def rotate(self, step: Step) -> bool:
        """Take a step towards the device authority that follows; False where it was taken before."""
        return signing.ask(self._socket, signing.Rotate(step=step), Changed).count > 0

    def following(self) -> Following:
        """How far the device authority is followed by another."""
        return signing.ask(self._socket, signing.Follow(), Following)

    def rotate_web(self, step: WebStep, hosts: Iterable[str], changes_at: dt.datetime | None = None) -> bool:
        """Take a step towards the web authority that follows; False where it was taken before."""
        order = signing.RotateWeb(step=step, hosts=tuple(hosts), changes_at=changes_at)
        return signing.ask(self._socket, order, Changed).count > 0

    def following_web(self, hosts: Iterable[str]) -> WebFollowing:
        """How far the web authority for `hosts` is followed by another."""
        return signing.ask(self._socket, signing.FollowWeb(hosts=tuple(hosts)), WebFollowing)

    def sign(self, leaf: Leaf, request: bytes, *, former: bool = False) -> bytes:
        """A certificate (PEM) for the key of a signing request (PEM)."""
        order = signing.Sign(
            name=leaf.name,
            role=leaf.role,  # type: ignore[arg-type]  # the signer says so where it is none
            csr=request.decode("ascii"),
            hosts=leaf.hosts,
            serves=leaf.serves,
            authority=leaf.authority,  # type: ignore[arg-type]  # as above
            former=former,
        )
        return signing.ask(self._socket, order, Pem).pem.encode()

    def revoke(self, name: str) -> int:
        """Take a name back for good; how many certificates went on the list."""
        return signing.ask(self._socket, signing.Revoke(name=name), Changed).count

    def replace(self, name: str) -> int:
        """Put all certificates of a name but the newest on the list; how many there were."""
        return signing.ask(self._socket, signing.Revoke(name=name, replaced=True), Changed).count

    def retire(self, name: str) -> int:
        """Put all certificates of a name on the list, and keep the name; how many there were."""
        return signing.ask(self._socket, signing.Revoke(name=name, awaits=True), Changed).count

    def crl(self) -> bytes:
        """A fresh revocation list, PEM."""
        return self._shown("crl")

    def ends(self) -> tuple[End, ...]:
        """When the newest certificate of each name ends, and the authorities."""
        return signing.ask(self._socket, signing.Ends(), Ending).ends

    def _shown(self, what: str, hosts: tuple[str, ...] = ()) -> bytes:
        order = signing.Show(what=what, hosts=hosts)  # type: ignore[arg-type]  # the signer says so where there is no such thing
        return signing.ask(self._socket, order, Pem).pem.encode()
