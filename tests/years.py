"""A whole home under a calendar that runs away, with no hand but the timer's: `python -m tests.years --days 800`.

Every process lives under libfaketime, with monotonic time left alone. At each step the calendar moves on, `homesystem
renew` runs as its timer would, one process is killed and comes back, and then nobody may be refused: every port serves
what lies on disk, somebody signs in, and each room obeys. What any log says of TLS that did not let somebody in is
told, and counts as a refusal.
"""

import argparse
import datetime as dt
import os
import re
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from deploy.pki import served
from shared.trust import tls
from tests.demo import Answer, Client, Demo
from tests.house import until

LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
MARK = "HOMESYSTEM_YEARS_CLOCK"
ROOMS = {"hall": "hall/lamp", "kitchen": "kitchen/kettle", "garage": "garage/light"}
LIMITS = ("login_code", "login_code_account", "login", "commands", "reads", "default")
REFUSAL = re.compile(
    r"\[SSL|SSL routines|alert (certificate|unknown|bad|handshake)|certificate verify failed|not yet valid|has expired"
    r"|was revoked|revocation list has ended|cannot be used|certificate_refused|exit status 7[58]"
)
"""What a log says where somebody was not let in, or had nothing to show."""
HARMLESS = re.compile(r"unexpected[ _]eof", re.IGNORECASE)
"""Whoever only asks whether a port is open hangs up at once, and whoever is killed in the middle of a handshake."""
_SUPERVISOR_SECONDS = 1.0
"""Until the supervisor has noticed that a process ended."""
DAY = 86400
GATEWAY_WAITS = 5.0
"""Seconds that the gateway gives the auth service for an answer (shared/door/client.py)."""
PATIENCE = 120.0
"""Seconds until everybody has found one another again."""


def library() -> Path | None:
    """Where libfaketime lies; None where it is not installed."""
    for place in LIBRARIES:
        for found in sorted(Path(place).glob("**/faketime/libfaketimeMT.so.1")):
            return found
    return None


class Calendar:
    """Where all processes read how far their calendar is ahead."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._born = time.time() - time.monotonic()
        self.day = 0

    def move(self, days: int) -> None:
        """So many days on, and wait until all see it: each reads the calendar once a second, when it asks for time."""
        self.day += days
        new = self._file.with_suffix(".new")
        new.write_text(f"+{self.day}d\n")
        new.replace(self._file)
        moved = self._born + self.day * DAY - 60
        until(lambda: time.time() - time.monotonic() > moved, "the calendar moves")
        seen = int(time.time())
        until(lambda: int(time.time()) > seen, "the second ends in which others had read it before")


class Logs:
    """What the programs said since it was last asked; each into a file that turns by size."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[str, int], int] = {}

    def refusals(self) -> list[str]:
        """Lines that say so, new since the last call, each with its file's name."""
        return [f"{name}: {line}" for name, line in self._lines() if REFUSAL.search(line) and not HARMLESS.search(line)]

    def _lines(self) -> Iterator[tuple[str, str]]:
        for path in sorted([*self._folder.glob("*.console.log*"), self._folder / "supervisor.log"]):
            key = (path.name.partition(".")[0], path.stat().st_ino)
            with path.open(errors="replace") as file:
                file.seek(self._read.get(key, 0))
                for line in file:
                    yield path.name, line.rstrip()
                self._read[key] = file.tell()


class Years:
    """The home, its calendar, and what came of each step."""

    def __init__(self, demo: Demo, calendar: Calendar) -> None:
        self.demo = demo
        self.calendar = calendar
        self.renewed: Counter[str] = Counter()
        self.refusals: list[str] = []
        self.sign_ins = self.commands = self.restarts = self.late = self.crashes = 0
        self._logs = Logs(demo.var / "log")
        self._names = ["broker", "auth", "alerts", "gateway", *(f"agent-{room}" for room in ROOMS)]

    def step(self, days: int) -> None:
        """The calendar moves; the timer; a process dies; then somebody comes home."""
        self.calendar.move(days)
        said = self.demo.command("renew")
        assert said.returncode == 0, said.stderr
        made = self._made(said.stdout)
        self.renewed.update(made)
        self._restart()
        with_whom = self._whole()
        self._serves()
        self._act(with_whom)
        found = self._logs.refusals()
        self.refusals += found
        date = dt.datetime.now(dt.UTC).date()
        if made or found:
            print(f"day {self.calendar.day:3} ({date}): renewed {', '.join(made) or 'nothing'}", flush=True)
        for line in found:
            print(f"  REFUSED {line}", flush=True)

    def _made(self, said: str) -> list[str]:
        told = re.search(r"Renewed: (.*?); a fresh", said.replace("\n", " "))
        assert told is not None, said
        return [] if told[1] == "nothing was due" else told[1].split(", ")

    def _restart(self) -> None:
        """One after the other starts at some date or other."""
        name = self._names[self.restarts % len(self._names)]
        self.restarts += 1
        self.demo.reborn(name, self.demo.kill(name))
        until(lambda: all(map(_listens, self.demo.ports.values())), "everybody listens", seconds=PATIENCE)

    def _whole(self) -> Client:
        """Wait until everybody has found one another again, after a calendar that jumped and a process that died."""
        client = self.demo.client()
        until(lambda: _ready(client), "the gateway is ready", seconds=PATIENCE)
        self._sign_in(client)
        until(
            lambda: all(client.device(device).get("available") for device in ROOMS.values()),
            "all rooms are there",
            seconds=PATIENCE,
        )
        return client

    def _sign_in(self, client: Client) -> None:
        """At the first try, unless this machine is so busy that the gateway gave up waiting; that is told."""
        until(lambda: self._signs_in(client), "somebody signs in", seconds=PATIENCE)

    def _signs_in(self, client: Client) -> bool:
        try:
            client.sign_in("master")
        except AssertionError as error:
            if not self._gave_up_waiting(str(error)):
                raise
            self.late += 1
            return False
        self.sign_ins += 1
        return True

    def _gave_up_waiting(self, answer: str) -> bool:
        """Whether the gateway waited for the auth service as long as it waits for anybody, and answered only then.

        Its log has why it got no answer once a minute and no more; the request's own line has how long it took.
        """
        named = re.search(r"urn:request:(\w+)", answer)
        lines = (line for path in (self.demo.var / "log").glob("gateway-requests.log*") for line in path.open())
        took = (re.search(r"status=503 seconds=([\d.]+)", line) for line in lines if named and named[1] in line)
        return any(found is not None and float(found[1]) >= GATEWAY_WAITS for found in took)

    def _serves(self) -> None:
        """Every port, what lies on disk."""
        pki, ports = self.demo.var / "pki", self.demo.ports
        admin = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / "admin.crt", key=pki / "admin.key")
        for stem, port in {"broker": "MQTT", "auth-server": "AUTH", "alerts-server": "ALERTS", "web": "HTTPS"}.items():
            seen = served.look("127.0.0.1", ports[port], admin)
            assert seen.is_of(pki / f"{stem}.crt"), f"{stem}: another one is served than lies on disk"
            assert seen.begins_at <= dt.datetime.now(dt.UTC) < seen.ends_at, f"{stem}: {seen}"

    def _broker_crashed(self) -> bool:
        """Whether the broker ended by itself since this was last asked: that is told, and is nobody's certificate."""
        pause = threading.Event()
        pause.wait(_SUPERVISOR_SECONDS)
        log = (self.demo.var / "log" / "supervisor.log").read_text()
        crashes, self.crashes = self.crashes, len(re.findall(r"exited: broker \(terminated by SIG(SEGV|ABRT|BUS)", log))
        return self.crashes > crashes

    def _act(self, client: Client) -> None:
        """Each room obeys, once, at the first try."""
        action = "on" if self.sign_ins % 2 else "off"
        for device in ROOMS.values():
            answer = self._in_time(client, device, action)
            if answer.status in (503, 504) and self._broker_crashed():
                until(lambda device=device: client.device(device)["available"], "the room is back", seconds=PATIENCE)  # type: ignore[misc]
                answer = self._in_time(client, device, action)
            assert answer.status == 200, f"{device}: {answer}"
            assert answer.body["state"]["value"] == action
            self.commands += 1

    def _in_time(self, client: Client, device: str, action: str) -> Answer:
        """The room's word, once the gateway learnt in time whose command it is: before that nothing is sent."""
        answers: list[Answer] = []

        def is_in_time() -> bool:
            answers.append(client.act(device, action))
            late = answers[-1].status == 503 and self._gave_up_waiting(str(answers[-1]))
            self.late += late
            return not late

        until(is_in_time, f"{device} is asked for in time", seconds=PATIENCE)
        return answers[-1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _ready(client: Client) -> bool:
    try:
        return client.call("GET", "/readyz").status == 200
    except OSError:
        return False


def sleep(seconds: float) -> None:
    """For time.sleep: libfaketime 0.9.10 moves the end of a monotonic sleep as well, and the kernel refuses that."""
    threading.Event().wait(seconds)


def live(var: Path, calendar_file: Path, *, days: int, step: int) -> Years:
    """Make a home in `var` and live in it. To be called under the clock of `calendar_file`."""
    demo = Demo(var)
    made = demo.command("init", "--demo")
    assert made.returncode == 0, made.stderr
    demo.lift_limits(*LIMITS)
    demo.start()
    try:
        years = Years(demo, Calendar(calendar_file))
        while years.calendar.day < days:
            years.step(min(step, days - years.calendar.day))
    except BaseException:
        print(demo.logs(), file=sys.stderr)
        raise
    finally:
        demo.stop()
    return years


def main() -> int:
    """0 where nobody was refused."""
    parser = argparse.ArgumentParser(prog="tests.years", description=__doc__)
    parser.add_argument("--days", type=int, default=800)
    parser.add_argument("--step", type=int, default=10, help="days from one look to the next")
    options = parser.parse_args()
    calendar = os.environ.get(MARK)
    if calendar is None:
        return _begin()
    time.sleep = sleep  # type: ignore[assignment]  # only ever called with a number of seconds
    with tempfile.TemporaryDirectory(prefix="home-years-") as folder:
        years = live(Path(folder) / "var", Path(calendar), days=options.days, step=options.step)
    print(
        f"{years.calendar.day} days in {years.restarts} steps: {years.sign_ins} sign-ins, {years.commands} commands in "
        f"{len(ROOMS)} rooms, {years.restarts} restarts, {len(years.refusals)} refusals"
        + (f"; the broker crashed {years.crashes} times by itself and was started again" if years.crashes else "")
        + (f"; {years.late} answers took more than the gateway's 5 s and were tried again" if years.late else "")
    )
    print("renewals: " + ", ".join(f"{name} {count}" for name, count in sorted(years.renewed.items())))
    return 1 if years.refusals else 0


def _begin() -> int:
    """Begin anew under the clock, as a preloaded library must be there from the first moment."""
    found = library()
    if found is None:
        print("tests.years needs libfaketime: apt install libfaketime", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="home-calendar-") as folder:
        file = Path(folder) / "calendar"
        file.write_text("+0d\n")
        environment = os.environ | {
            MARK: str(file),
            "LD_PRELOAD": str(found),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # It is read anew once the second has changed (see `Calendar.move`): at every call, as the library can, too,
            # each look at a clock opened it, and services looked 800 times a second.
            "FAKETIME_CACHE_DURATION": "0",
        }
        return os.spawnve(os.P_WAIT, sys.executable, [sys.executable, "-m", "tests.years", *sys.argv[1:]], environment)


if __name__ == "__main__":
    sys.exit(main())
