"""The web's authorities in the vault: one for each name that the hub had, and for a time one that follows another.

`web-ca`, `web-ca-2` and so on are the authorities; `next-web-ca` is the one that follows the first of these, for the
same names and no more. Browsers list each under a name of its own, so that people can tell them apart.
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509

from deploy.pki import building, vaulted
from deploy.pki.building import Key
from deploy.pki.leaf import WEB_CA, permits, permitted, subject
from deploy.pki.rotation import RECORD, Rotation
from shared.trust.signing import Phase, WebFollowing, WebStep
from shared.words.problem import HomeError

_NEXT = "next-"
_NAME_MOST = 64
"""The longest common name (RFC 5280, ub-common-name)."""


class WebAuthorities:
    """Those in `vault`; `mark` stands before the names of a demo's. `hosts`: what a certificate is to be good for."""

    def __init__(self, vault: Path, *, mark: str, now: dt.datetime) -> None:
        self._vault = vault
        self._mark = mark
        self._now = now

    def names(self) -> list[str]:
        """All of them as their files are called, the newest name of the hub first; without one that follows another."""
        names = [path.stem for path in self._vault.glob(f"{WEB_CA}*.crt")]
        return sorted(names, key=lambda name: int(name.removeprefix(WEB_CA).lstrip("-") or 1), reverse=True)

    def find(self, hosts: Iterable[str]) -> str | None:
        """The one that may vouch for all of `hosts`, whether or not another follows it."""
        hosts = tuple(hosts)
        return next((name for name in self.names() if permits(vaulted.pair(self._vault, name)[1], hosts)), None)

    def ensure(self, hosts: tuple[str, ...]) -> None:
        """Make one where none may vouch for `hosts`."""
        if self.find(hosts) is None:
            number = len(self.names()) + 1
            stem = WEB_CA if number == 1 else f"{WEB_CA}-{number}"
            vaulted.make(self._vault, stem, self._listed_as(hosts[0]), self._now, hosts=hosts)

    def signer(self, hosts: Iterable[str]) -> tuple[Key, x509.Certificate]:
        """Who signs for `hosts`. Raises HomeError("forbidden") where none may, ConfigError."""
        return vaulted.pair(self._vault, self._believed(self._found(hosts))[0])

    def believed(self, hosts: Iterable[str]) -> list[x509.Certificate]:
        """Whom browsers that ask for `hosts` are to believe, that which signs first. Raises as `signer` does."""
        return [vaulted.pair(self._vault, stem)[1] for stem in self._believed(self._found(hosts))]

    def rotate(self, step: WebStep, hosts: Iterable[str], changes_at: dt.datetime | None = None) -> bool:
        """Take a step towards the one that follows; False where it was taken before.

        `changes_at` is for the beginning, which may be given again with another moment. Raises HomeError: as `signer`
        does; "invalid-value" where it is not this step's turn, or the beginning lacks its moment.
        """
        hosts = tuple(hosts)
        name = self._found(hosts)
        rotation = self._rotation(name)
        match step:
            case "begin":
                phase = rotation.phase()
                if phase is None and changes_at is None:
                    raise HomeError("invalid-value", "It is to be said when the hub changes over to another authority.")
                if phase is None:
                    return rotation.begin(lambda key: self._follow(key, name, hosts), changes_at=changes_at)
                return phase is Phase.BELIEVED and changes_at is not None and rotation.plan(changes_at)
            case "serve":
                return rotation.move(Phase.SERVING)
        return rotation.end()

    def following(self, hosts: Iterable[str]) -> WebFollowing:
        """How far the one for `hosts` is followed by another. Raises as `signer` does."""
        name = self._found(hosts)
        rotation = self._rotation(name)
        phase = rotation.phase()
        ends = vaulted.pair(self._vault, name)[1].not_valid_after_utc
        if phase is None:
            return WebFollowing(phase=None, ends=ends)
        follows = vaulted.pair(self._vault, _NEXT + name)[1]
        return WebFollowing(
            phase=phase,
            ends=ends,
            since=follows.not_valid_before_utc + building.SKEW,
            changes_at=rotation.changes_at(),
            pem=building.pem(follows).decode(),
        )

    def _follow(self, key: Key, name: str, hosts: tuple[str, ...]) -> x509.Certificate:
        """For the names of the former one: nobody gets an authority for others by having one followed."""
        former = vaulted.pair(self._vault, name)[1]
        kept = permitted(former) or hosts
        begins, ends = self._now - building.SKEW, self._now + dt.timedelta(days=vaulted.CA_DAYS)
        return building.authority(key, subject(self._listed_as(kept[0])), begins=begins, ends=ends, hosts=kept)

    def _found(self, hosts: Iterable[str]) -> str:
        hosts = tuple(hosts)
        found = self.find(hosts) if self.names() else WEB_CA
        if found is None:
            raise HomeError(
                "forbidden",
                f"No authority of this home may vouch for {hosts[0]} in browsers; `homesystem rename` gives the hub "
                "another name.",
            )
        return found

    def _believed(self, name: str) -> tuple[str, ...]:
        match self._rotation(name).phase():
            case None:
                return (name,)
            case Phase.BELIEVED:
                return (name, _NEXT + name)
        return (_NEXT + name, name)

    def _rotation(self, name: str) -> Rotation:
        return Rotation(self._vault, name, following=_NEXT + name, order=(Phase.BELIEVED, Phase.SERVING))

    def _listed_as(self, host: str) -> str:
        """The first by our name alone, later ones with a number and the hub's name, so that they can be told apart."""
        ended = len(list((self._vault / RECORD).glob(f"{WEB_CA}*.crt")))
        number, name = len(self.names()) + ended + 1, f"{self._mark}Home System Web CA"
        return name if number == 1 else f"{name} {number} {host}"[:_NAME_MOST].strip()
