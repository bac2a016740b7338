"""Runs a whole home on one machine under supervisord: the demo of `make run`, or a small real hub.

Every program is started again when it dies; one priority, so that all stop at once.
"""

import hashlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.folder import home as homes
from deploy.live_broker import broker
from deploy.pki import signers
from deploy.pki.files import write
from shared.running.config import ConfigError

STOP_SECONDS = 4
RENEW_SECONDS = 6 * 3600


def start(home: homes.Home) -> None:
    """Check what can be checked, then become the supervisor; does not return. Raises ConfigError."""
    signers.move(home.var)
    with homes.turn(home.var, "homesystem up") as home:
        homes.lay_out(home)
        _check_ports(home)
        broker.refresh(home)
    path = home.var / "supervisord.conf"
    write(path, supervisor_config(home).encode(), 0o600)
    # The services read their own files; what the environment overrides must be the same for all of them.
    os.environ |= {name: str(port) for name, port in home.settings.ports.items()}
    # The zones by the package alone (docs/doctor.md).
    os.environ |= {"HOMESYSTEM_VAR": str(home.var), "PYTHONUNBUFFERED": "1", "PYTHONTZPATH": ""}
    # As in the units: a heap for each thread would cost some megabytes that nothing uses.
    os.environ["MALLOC_ARENA_MAX"] = "1"
    os.environ["HOMESYSTEM_SIGNER"] = str(signers.socket(home.var, demo=home.settings.demo))
    os.chdir(homes.ROOT)
    print(f"starting the home in {home.var} …", flush=True)
    subprocess.Popen([sys.executable, "-m", "deploy.running.ready", str(time.time())])  # noqa: S603 - ourselves
    os.execv(sys.executable, [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(path)])  # noqa: S606


def supervisor_config(home: homes.Home) -> str:
    """supervisord's configuration for this home."""
    log = home.var / "log"
    lines = [
        "[supervisord]",
        f"logfile={_plain(log / 'supervisor.log')}",
        "logfile_maxbytes=1MB",
        f"pidfile={_plain(home.var / 'supervisord.pid')}",
        f"childlogdir={_plain(log)}",
        "silent=true",
        *(["user=root"] if os.geteuid() == 0 else []),
        "",
        "; .venv/bin/supervisorctl -c this-file stop alerts",
        "[unix_http_server]",
        f"file={_plain(_socket(home))}",
        "chmod=0700",
        "",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "",
        "[supervisorctl]",
        f"serverurl=unix://{_plain(_socket(home))}",
    ]
    for name, command in programs(home).items():
        lines += [
            "",
            f"[program:{name}]",
            "command=" + " ".join(_quoted(part) for part in command),
            f"directory={_plain(homes.ROOT)}",
            "autorestart=true",
            "startsecs=1",
            "startretries=1000000",
            "priority=1",
            f"stopwaitsecs={STOP_SECONDS}",
            "stopasgroup=true",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={_plain(_plain(log / f'{name}.console.log'))}",  # supervisord expands it twice
            "stdout_logfile_maxbytes=1MB",
            "stdout_logfile_backups=1",
        ]
    return "\n".join(lines) + "\n"


def programs(home: homes.Home) -> dict[str, list[str | Path]]:
    """What runs, and how."""
    python: list[str | Path] = [sys.executable, "-m"]
    found: dict[str, list[str | Path]] = {"broker": [mosquitto(), "-c", home.broker_config]}
    if home.settings.demo:
        port = str(home.settings.smtp_port)
        found["mailbox"] = [*python, "deploy.running.mailbox", "--folder", home.var / "mail", "--port", port]
        found["mailbox"] += ["--log-dir", home.var / "log"]
    if (home.vault / "device-ca.key").exists():  # else the signer is somebody else's, and runs already
        found["signer"] = _signer(home)
    modules = {
        "auth": "auth_service",
        "alerts": "alert_service",
        "readings": "alert_service.readings",
        "gateway": "gateway",
    }
    for service, module in modules.items():
        found[service] = [*python, module, "--config", home.config(service)]
    for path in sorted((home.var / "agents").glob("*.toml")):
        found[f"agent-{path.stem}"] = [*python, "device_agents", "--config", path]
    # What the timer does where systemd runs the home. It ends each time, and the supervisor starts it again.
    renew = f"sleep {RENEW_SECONDS} && exec {shlex.quote(sys.executable)} -m deploy renew"
    found["renewal"] = ["/bin/sh", "-c", renew]
    return found


def _signer(home: homes.Home) -> list[str | Path]:
    state, demo = signers.state(home.var), home.settings.demo
    place: list[str | Path] = [
        "--state",
        state,
        "--socket",
        signers.socket(home.var, demo=demo),
        "--log",
        home.var / "log",
    ]
    return [sys.executable, "-m", "deploy.signer", *place, *(["--demo"] if demo else [])]


def mosquitto() -> str:
    """Where Mosquitto is. Raises ConfigError where it is not."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    if found is None:
        raise ConfigError("Mosquitto is not installed; run: sudo apt install mosquitto")
    return found


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _check_ports(home: homes.Home) -> None:
    taken = [(name, port) for name, port in home.settings.ports.items() if not port_is_free("127.0.0.1", port)]
    if taken:
        named = "; ".join(f"port {port} is in use: stop what listens there, or set {name}" for name, port in taken)
        raise ConfigError(f"{named}. Is this home running already?")


def _socket(home: homes.Home) -> Path:
    """Where supervisorctl reaches the supervisor: in the home, unless its path is too long for a socket (108 bytes)."""
    path = home.var / "supervisor.sock"
    if len(os.fsencode(path)) < 90:  # the supervisor binds under a longer, temporary name first
        return path
    digest = hashlib.sha256(os.fsencode(home.var)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"homesystem-{os.geteuid()}-{digest}.sock"


def _plain(value: str | Path) -> str:
    """A value as supervisord takes it: to the end of the line, blanks and quotes included."""
    return str(value).replace("%", "%%")


def _quoted(part: str | Path) -> str:
    """One word of a command, which supervisord takes apart as a shell does."""
    return _plain(shlex.quote(str(part)))
