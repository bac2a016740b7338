"""Another authority follows in any order of rooms that wake, ask and sleep, with power cuts at any write.

Nobody who asks in time is refused, and nothing of the former is good for anything once it has ended.

No broker runs: what it would say is what OpenSSL says to the files that it would read.
"""

import contextlib
import shutil
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from deploy.authority import rotating
from deploy.folder import home as homes
from deploy.pki import authorities, building, files, index, leaf, pairs, reading, rotation
from deploy.pki.leaf import DEVICE_CA
from device_agents.link.pair import Pair
from shared.trust import authority, tls
from shared.words.problem import HomeError
from shared.words.renewing import Certificate
from tests.begun import whole_home

ROOMS = ("attic", "hall", "porch")
WRITERS = (authorities, rotation, index, pairs, homes, rotating)


class KilledError(BaseException):
    """As kill -9 would: nothing of ours catches it."""


class Hub:
    """A whole home without a broker, which may be killed at any file that it writes or renames."""

    def __init__(self, folder: Path) -> None:
        self.home = whole_home(folder)
        self.shown: dict[str, str] = {}
        """The serial number that each room says."""

    def do(self, work: Callable[[], object], *, kill_at: int | None = None) -> bool:
        """Whether it came to its end."""
        left = [kill_at]

        def counted(change: Callable[..., object]) -> Callable[..., object]:
            def changed(*arguments: object, **named: object) -> object:
                if left[0] is not None:
                    left[0] -= 1
                    if left[0] < 0:
                        raise KilledError
                return change(*arguments, **named)

            return changed

        patches: list[Any] = [mock.patch.object(module, "write", counted(files.write)) for module in WRITERS]
        patches += [mock.patch.object(Path, name, counted(getattr(Path, name))) for name in ("replace", "unlink")]
        patches.append(mock.patch.object(rotating, "_told", return_value=dict(self.shown)))
        try:
            for patch in patches:
                patch.start()
            work()
        except KilledError:
            return False
        finally:
            for patch in patches:
                patch.stop()
        return True

    def lets_in(self, room: "Pi") -> bool:
        """Both ways: the hub believes the room, and the room the hub."""
        pki = self.home.pki
        there, here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        there.verify_mode, there.verify_flags = ssl.CERT_REQUIRED, ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        there.load_verify_locations(cafile=pki / f"{DEVICE_CA}.crt")
        there.load_verify_locations(cafile=pki / "crl.pem")
        there.load_cert_chain(pki / "broker.crt", pki / "broker.key")
        here.load_verify_locations(cafile=room.identity.ca)
        here.load_cert_chain(room.identity.certificate, room.identity.key)
        one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = there.wrap_bio(one, other, server_side=True)
        client = here.wrap_bio(other, one, server_hostname="localhost")
        try:
            for _ in range(5):
                for side in (client, server):
                    try:
                        side.do_handshake()
                    except ssl.SSLWantReadError:
                        continue
        except ssl.SSLError:
            return False
        return tls.common_name(server.getpeercert()) == room.name  # type: ignore[arg-type]  # typeshed allows more


class Pi:
    """A room as its agent keeps it."""

    def __init__(self, hub: Hub, name: str, folder: Path) -> None:
        self.hub = hub
        self.name = name
        self.cut_off = False
        folder.mkdir()
        hub.home.authority().ensure_client(name, "room", folder=folder, stem="room")
        shutil.copy(hub.home.pki / f"{DEVICE_CA}.crt", folder / "ca.crt")
        self.identity = tls.Identity(ca=folder / "ca.crt", certificate=folder / "room.crt", key=folder / "room.key")
        self.pair = Pair(self.identity, name)

    def ask(self) -> Certificate:
        """A key and a request, as deploy/room-renew.sh makes them, and what the hub answers."""
        key = ec.generate_private_key(ec.SECP256R1())
        self.pair.next_key.write_bytes(building.private_bytes(key))
        request = x509.CertificateSigningRequestBuilder().subject_name(leaf.subject("room")).sign(key, hashes.SHA256())
        known = self.hub.home.authority().authorities
        signed = known.sign(leaf.client(self.name, "room"), request.public_bytes(Encoding.PEM))
        believed = authority.pems(known.certificate(DEVICE_CA).decode())
        return Certificate(certificate=signed.decode(), authorities=believed, voucher=known.voucher().decode() or None)

    def say(self) -> None:
        """What it shows, as in its description."""
        self.hub.shown[self.name] = tls.serial_number(self.identity.certificate) or ""


class AnyOrder(RuleBasedStateMachine):
    """See the module."""

    @initialize()
    def found(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="home-rotating-"))
        self.hub = Hub(self.folder / "home")
        self.rooms = {name: Pi(self.hub, name, self.folder / name) for name in ROOMS}
        self.dead = False
        """A power cut was the last thing that happened on the hub: its next start repairs first."""

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(kill_at=st.none() | st.integers(0, 60))
    def begin(self, kill_at: int | None) -> None:
        self.dead = not self.hub.do(lambda: rotating.begin(self.hub.home), kill_at=kill_at)

    @rule(kill_at=st.none() | st.integers(0, 60))
    def timer(self, kill_at: int | None) -> None:
        def renew() -> None:
            homes.renew(self.hub.home)
            rotating.go_on(self.hub.home)

        self.dead = not self.hub.do(renew, kill_at=kill_at)

    @rule(kill_at=st.none() | st.integers(0, 60))
    def finish(self, kill_at: int | None) -> None:
        def end() -> None:
            with contextlib.suppress(HomeError):  # where there is nothing to end
                for left in rotating.end(self.hub.home, without=ROOMS):
                    self.rooms[left.name].cut_off = True

        self.dead = not self.hub.do(end, kill_at=kill_at)
        for left in rotating._ending(self.hub.home) or ():
            self.rooms[left.name].cut_off = True

    @precondition(lambda self: self.dead)
    @rule()
    def start(self) -> None:
        homes.renew(self.hub.home)
        self.dead = False

    @precondition(lambda self: not self.dead)
    @rule(name=st.sampled_from(ROOMS))
    def room_asks(self, name: str) -> None:
        room = self.rooms[name]
        if room.cut_off:
            return
        room.pair.take(room.ask())
        room.pair.settle()
        assert self.hub.lets_in(room)
        room.say()

    @precondition(lambda self: not self.dead)
    @rule(name=st.sampled_from(ROOMS))
    def room_comes_back_by_hand(self, name: str) -> None:
        room = self.rooms[name]
        if not room.cut_off or rotating._ending(self.hub.home) is not None:
            return
        folder = room.identity.ca.parent
        (folder / "room.key").unlink()
        self.hub.home.authority().ensure_client(name, "room", folder=folder, stem="room")
        self.hub.home.authority().replace(name)
        shutil.copy(self.hub.home.pki / f"{DEVICE_CA}.crt", folder / "ca.crt")
        room.cut_off = False
        assert self.hub.lets_in(room)

    @invariant()
    def nobody_is_refused_who_was_not_given_up(self) -> None:
        if not self.dead:
            for room in self.rooms.values():
                assert room.cut_off or self.hub.lets_in(room), f"{room.name} is refused"

    @invariant()
    def the_former_is_good_for_nothing_once_it_has_ended(self) -> None:
        known = self.hub.home.authority().authorities
        if self.dead or known.following().phase is not None:
            return
        (one,) = reading.certificates(self.hub.home.pki / f"{DEVICE_CA}.crt")
        assert one == reading.certificate(self.hub.home.vault / f"{DEVICE_CA}.crt")
        for room in self.rooms.values():
            if not reading.is_signed_by(reading.certificate(room.identity.certificate), one):
                assert not self.hub.lets_in(room)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = hypothesis.settings(max_examples=15, stateful_step_count=12, deadline=None)
