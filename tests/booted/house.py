"""One home on one Debian: a hub, a room on another machine, and the third place with mail, code and visitors."""

import contextlib
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from tests.booted import mailserver, trees
from tests.booted.debs import Packages
from tests.booted.guide import Guide
from tests.booted.lan import NETWORK, ROUTER, Lan
from tests.booted.machine import Machine
from tests.booted.mailserver import MailServer
from tests.booted.report import Report
from tests.booted.repository import URL, Repository
from tests.booted.supply import Supply
from tests.booted.terminal import Answer
from tests.booted.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(
    ROOT / "docs" / name
    for name in ("setup.md", "backup.md", "renaming.md", "certificates.md", "losing.md", "packages.md")
)
"""Where the commands are read from."""
HUB = "hub.home.arpa"
NEW_HUB = "villa.home.arpa"
"""The name that the hub is given later."""
MASTER = "owner@home.arpa"
MASTER_NAME = "The owner"
PASSWORD = "correct-horse-battery-9"
ADDRESSES = {
    name: f"{NETWORK}.{number}" for number, name in enumerate(("hub", "hall", "old", "kitchen", "nas"), start=11)
}
"""Every machine of the home."""
KNOWN = {f"{name}.home.arpa {name}": address for name, address in ADDRESSES.items()} | {
    NEW_HUB: ADDRESSES["hub"],
    mailserver.NAME: ROUTER,
}
"""The names that the home's router tells."""
UNITS = ("homesystem-broker", "homesystem-auth", "homesystem-alerts", "homesystem-readings", "homesystem-gateway")
AGENT = "homesystem-agent@hall"
VAR = "/var/lib/homesystem"


class House:
    """What the phases share."""

    def __init__(self, suite: str, lan: Lan, folder: Path, report: Report, packages: Packages | None) -> None:
        self.suite = suite
        self._packages = packages
        self.report = report
        self.guide = Guide(PAGES, {"https://example.org/homesystem": URL})
        self.repository = Repository(ROOT, folder / "repository")
        self.mail = MailServer(trees.cache() / "certificates")
        self._lan = lan
        self._folder = folder
        self._machines: list[Machine] = []
        self.hub = self.machine("hub")
        self.room = self.machine("hall")
        self._visitor: Visitor | None = None

    def machine(self, name: str, *, like: Machine | None = None) -> Machine:
        """Another computer, fresh and switched off; `like` one whose place on the network it takes."""
        tree = trees.base(self.suite, [mailserver.authority(trees.cache() / "certificates")])
        number = len(self._machines)
        folder = trees.copy(tree, self._folder / f"{number}-{name}", name, KNOWN)
        if like is None:
            self._lan.plug(name, ADDRESSES[name])
        made = Machine(name, folder, self._lan.namespace(name), ADDRESSES[name], self.report)
        self._machines.append(made)
        return made

    def readdress(self, machine: Machine, address: str) -> None:
        """Give a machine another address, and have the router tell everybody that one by its name."""
        former = machine.address
        self._lan.readdress(machine.name, former, address)
        machine.address = address
        for one in self._machines:
            hosts = one.tree / "etc/hosts"
            hosts.write_text(re.sub(rf"(?m)^{re.escape(former)} ", f"{address} ", hosts.read_text()))
        if machine is self.hub:
            self.visitor.look_up(address)

    @property
    def packages(self) -> Packages:
        """What is installed where a home is set up from packages."""
        assert self._packages is not None, "this home comes from a checkout"
        return self._packages

    @property
    def visitor(self) -> Visitor:
        """Somebody with a browser, who trusts what the hub gave out when they first came."""
        assert self._visitor is not None, "nobody has the home's web authority yet"
        return self._visitor

    def welcome(self, authority: str, name: str = HUB) -> Visitor:
        """From now on the visitor knows the hub by this name, and has that authority from it."""
        days = self._visitor.days if self._visitor is not None else 0
        self._visitor = Visitor(name, self.hub.address, authority, self.mail, days=days)
        return self._visitor

    def follow(
        self,
        machine: Machine,
        name: str,
        answers: Sequence[Answer] = (),
        *,
        replaced: Mapping[str, str] | None = None,
        leave_out: Collection[str] = (),
    ) -> str:
        """Type a block of the guide on a machine, in a new terminal; what it showed.

        `replaced`: words that stand for something of one's own; `leave_out`: programs whose commands are done already.
        """
        machine.home_folder()
        shown = ""
        words = replaced or {}
        for written in self.guide[name].commands:
            command = re.sub(r"[a-z]+(\.[a-z]+)*", lambda word: words.get(word[0], word[0]), written)
            if not set(command.split()[:2]) & set(leave_out):
                shown += machine.type(command, answers)
        return shown

    def explain(self) -> None:
        """Print what the machines' own journals say, after something went wrong: of what failed, and of all."""
        for machine in self._machines:
            if machine.running:
                failed = "systemctl list-units --failed --plain --no-legend 'homesystem*' | cut -d ' ' -f 1"
                for unit in [*machine.run(failed, check=False).split(), "homesystem*"]:
                    asked = f"journalctl -q -n 15 -o short-iso --no-hostname -u '{unit}'"
                    for line in machine.run(asked, check=False).splitlines():
                        self.report.note(f"{machine.name}: {line[:200]}")

    def close(self) -> None:
        """Switch everything off."""
        for machine in self._machines:
            machine.cut()
        self.mail.close()
        self.repository.close()


@contextlib.contextmanager
def built(
    suite: str, report: Report, folder: Path, *, packages: Packages | None = None, keep: bool = False
) -> Iterator[House]:
    """A home's machines, not yet booted; afterwards nothing of them is left, unless `keep`."""
    cache = trees.cache()
    for name in trees.CACHES:
        (cache / name).mkdir(exist_ok=True)
    (cache / "pip").chmod(0o777)  # whoever runs pip on a machine keeps what it fetched
    with Lan(suite) as lan, lan.inside():
        supply = Supply(cache / "packages", lan.outside)
        house: House | None = None
        try:
            house = House(suite, lan, folder, report, packages)
            yield house
        finally:
            if house is not None:
                house.close()
            supply.close()
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
