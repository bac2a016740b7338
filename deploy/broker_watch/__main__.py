"""`python -m deploy.broker_watch MOSQUITTO.CONF [FOLDER]`: runs Mosquitto, and tells systemd of life while it answers.

Mosquitto itself knows nothing of a watchdog. systemd sees this process: where it falls silent, or ends because
Mosquitto is silent, the whole unit is started anew. SIGHUP goes on to Mosquitto, which reads its list and certificates
again; where commands cannot signal it, as it is another user's, they ask by a file in FOLDER (hold.py). A Mosquitto
that lived through a jump of the calendar is started anew here.
"""

import contextlib
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.broker_watch import hold
from deploy.broker_watch.calendar import Calendar
from deploy.broker_watch.probe import Probe, SilentError
from shared.running import installed, systemd
from shared.running import log as logs
from shared.running.config import ConfigError, fail
from shared.running.log import facts

log = logging.getLogger(__name__)

HERE = "127.0.0.1"
FORMER_SECONDS = 5.0
"""How long the kernel may take to end a process that was killed."""
MOST_SILENCES = 2
"""So many questions without an answer, one after the other, and it is ended: systemd's way, by WatchdogSec and a signal
that a stopped process does not hear, would take longer than the half minute that we promise."""
STARTING_SECONDS = 0.2
"""How soon to ask again before the first answer."""
_WAKING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def main(arguments: list[str]) -> int:
    """Mosquitto's exit code; 0 after a signal to end."""
    if len(arguments) not in (1, 2):
        print("usage: python -m deploy.broker_watch MOSQUITTO.CONF [FOLDER]", file=sys.stderr)
        return 2
    logs.set_up("broker-watch", None)
    path = Path(arguments[0])
    try:
        port, pki = read(path)
        program = mosquitto()
        with contextlib.ExitStack() as end:
            asked = end.enter_context(hold.held(Path(arguments[1]))) if len(arguments) == 2 else None
            return keep(path, program, (HERE, port), pki, asked)
    except ConfigError as error:
        return fail(error)


def keep(path: Path, program: str, address: tuple[str, int], pki: Path, asked: hold.Hold | None) -> int:
    """Run Mosquitto, and again after a jump of the calendar; its exit code, 0 after a signal to end."""
    # Its own READY=1 would not be ours: systemd believes the main process alone.
    environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    end_former(path)
    code = None
    while code is None:
        with subprocess.Popen([program, "-c", str(path)], env=environment) as broker:  # noqa: S603 - found above
            try:
                code = watch(broker, Probe(address, pki), asked)
            finally:
                broker.kill()  # of no effect on one that has ended
    return code


def watch(broker: subprocess.Popen[bytes], probe: Probe, asked: hold.Hold | None = None) -> int | None:
    """Ask until it ends, or until a signal says that it shall; the exit code, None where it is to be started anew."""
    # From here on signals are waited for, in this one loop; what came before is found by the first look. The next
    # Mosquitto must not inherit that it hears none.
    former = signal.pthread_sigmask(signal.SIG_BLOCK, _WAKING)
    try:
        return _watch(broker, probe, Calendar(), asked)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
        probe.close()


def _watch(broker: subprocess.Popen[bytes], probe: Probe, calendar: Calendar, asked: hold.Hold | None) -> int | None:
    ready, silences = False, 0
    while True:
        if calendar.jumped():
            # 2.0.11 and 2.0.21 were seen to throw out clients that had just connected after that, and to crash.
            log.warning("The calendar jumped: starting the broker anew")
            _end(broker)
            return None
        if (code := broker.poll()) is not None:
            log.error("Broker ended", extra=facts(code=code))
            return code if code > 0 else 1
        try:
            words = probe.ask()
        except SilentError as error:
            silences += 1
            if ready and silences == 1:
                log.error("Broker gives no sign of life", extra=facts(reason=error))
                systemd.notify(f"STATUS=No sign of life: {error}")
            if ready and silences == MOST_SILENCES:
                log.error("Broker is frozen, and is ended", extra=facts(reason=error))
                return 1  # which ends it; systemd starts both anew
        else:
            states = [systemd.ALIVE, f"STATUS={words}"]
            systemd.notify(*states) if ready else systemd.notify("READY=1", *states)
            ready, silences = True, 0
        caught = signal.sigtimedwait(_WAKING, _pass_on(broker, asked) if ready else STARTING_SECONDS)
        if caught is None or caught.si_signo == signal.SIGCHLD:
            continue
        if caught.si_signo == signal.SIGHUP:
            broker.send_signal(signal.SIGHUP)
            continue
        systemd.notify("STOPPING=1")
        _end(broker)
        return 0


def _pass_on(broker: subprocess.Popen[bytes], asked: hold.Hold | None) -> float:
    """What somebody asked for by the file; how soon to look again."""
    if asked is None:
        return systemd.FEED_SECONDS
    if (wish := asked.wish()) is not None:
        broker.send_signal(signal.SIGHUP)
        asked.done(wish)
    return hold.LOOK_SECONDS


def _end(broker: subprocess.Popen[bytes]) -> None:
    broker.terminate()
    broker.wait()  # a broker that does not end is ended by systemd, with us


def end_former(path: Path) -> None:
    """End a Mosquitto, frozen or not, that a killed watch left behind: it holds the port."""
    place = re.search(r"(?m)^pid_file (.+)$", path.read_text())
    try:
        pid = int(Path(place[1]).read_text()) if place is not None else 0
        if pid <= 0 or Path(f"/proc/{pid}/comm").read_text().strip() != "mosquitto":
            return
        os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return  # none that is ours
    log.warning("Broker of a former watch is ended", extra=facts(process=pid))
    end = time.monotonic() + FORMER_SECONDS
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.02)


def read(path: Path) -> tuple[int, Path]:
    """The port on which a mosquitto.conf listens, and the folder of certificates that it names. Raises ConfigError."""
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; `homesystem repair` writes it") from error
    port, authority = re.search(r"(?m)^listener (\d+)", text), re.search(r"(?m)^cafile (.+)$", text)
    if port is None or authority is None:
        raise ConfigError(f"{path}: no listener, or no cafile; `homesystem repair` writes it anew")
    return int(port[1]), Path(authority[1]).parent


def mosquitto() -> str:
    """Where Mosquitto is. Raises ConfigError where it is not."""
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        raise ConfigError(f"Mosquitto is not installed; run: {installed.again('hub')}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
