"""Has the running broker take up what was renewed: checked first, signalled once, and then looked at.

Mosquitto reads all its files again at SIGHUP and takes them as they are: what does not fit costs its listener, or ends
it. To be called in the home's turn (deploy/folder/turns.py), so that no other command is in the middle of a change.
"""

import contextlib
import datetime as dt
import os
import signal
import threading
import time

from deploy.broker_watch import hold
from deploy.folder import parts
from deploy.folder.home import Home
from deploy.live_broker import broker
from deploy.pki import reading, served
from shared.running.config import ConfigError
from shared.words.problem import HomeError

PATIENCE_SECONDS = 10.0
_AGAIN_SECONDS = 0.05


def check(home: Home, now: dt.datetime) -> None:
    """Raises ConfigError where the broker could not use its certificate, key, authorities or revocation list."""
    certificate_file, list_file = home.pki / "broker.crt", home.pki / "crl.pem"
    authorities = reading.certificates(home.pki / "device-ca.crt")
    certificate, lists = reading.certificate(certificate_file), reading.revocation_lists(list_file)
    if not reading.belong_together(reading.private_key(home.pki / "broker.key"), certificate):
        raise ConfigError(f"{certificate_file} and broker.key do not belong together; run `homesystem renew`")
    if not any(reading.is_signed_by(certificate, authority) for authority in authorities):
        raise ConfigError(f"{certificate_file}: no authority in device-ca.crt signed it; run `homesystem renew`")
    # Without the list of one of them, whoever has its certificates is refused.
    if not all(any(reading.is_list_of(listed, authority) for listed in lists) for authority in authorities):
        raise ConfigError(f"{list_file}: an authority in device-ca.crt did not sign it; run `homesystem renew`")
    for path in (certificate_file, list_file):
        if reading.ends_at(path) <= now:
            raise ConfigError(f"{path}: has ended; run `homesystem renew`")


def reload(home: Home) -> bool:
    """Check the broker's files, signal it, and see that it serves them and lets us in; False where none runs.

    Raises ConfigError where a file is not as it should be: then it is not signalled, and goes on with what it has.
    HomeError("broker-unreachable") where it was signalled and does not serve the certificate that lies there.
    """
    if not (home.apart and broker.runs(home)) and broker.process(home) is None:
        return False
    check(home, dt.datetime.now(dt.UTC))
    if _signal(home):
        _see(home)
    return True


def _signal(home: Home) -> bool:
    """Whether it was told; False where it ended just now: its next start reads everything."""
    if home.apart:
        parts.hand_out(home.var)
        return hold.ask(home.mosquitto, PATIENCE_SECONDS)
    pid = broker.process(home)
    with contextlib.suppress(ProcessLookupError):
        if pid is not None:
            os.kill(pid, signal.SIGHUP)
            return True
    return False


def _see(home: Home) -> None:
    """Wait until the broker serves what lies on disk, then show it a certificate of ours."""
    path, pause = home.pki / "broker.crt", threading.Event()
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            seen = served.look(home.called("broker"), home.settings.mqtt_port, broker.config(home).tls)
        except HomeError:
            if time.monotonic() > end:
                raise
        else:
            if seen.is_of(path):
                break
            if time.monotonic() > end:
                raise HomeError(
                    "broker-unreachable",
                    f"The broker was told, and still serves a certificate that ends on {seen.ends_at:%Y-%m-%d}, not "
                    f"{path.name}: `journalctl -u homesystem-broker` says why; restart homesystem-broker",
                )
        pause.wait(_AGAIN_SECONDS)
    with broker.as_admin(home):
        pass
