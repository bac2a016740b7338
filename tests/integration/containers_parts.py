"""A home out of the image, as docs/containers.md has it for a household, and a mail server beside it."""

import datetime as dt
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from docker import DockerClient
from testcontainers.compose import DockerCompose

from deploy.running.mailbox import Mailbox
from tests.demo import ROOT, Client, Demo

IMAGE = "homesystem-tested"
MAIL = "mail.test"
EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple lamp"
USER = 10001
PARTS = {"signer", "broker", "auth", "alerts", "readings", "gateway", "hub"}
_DEVICES = """
[[devices]]
id = "lamp"
name = "Lamp"
kind = "switch"
pin = 17

[[devices]]
id = "front-door"
name = "Front door"
kind = "lock"
pin = 27
critical = true
"""


def build() -> str | None:
    """Have the images built; why that cannot be, where there is no base to begin with."""
    base = os.environ.get("HOMESYSTEM_IMAGE_BASE", "debian:12-slim")
    here = subprocess.run(["docker", "image", "inspect", base], capture_output=True, check=False)
    if here.returncode != 0:
        pulled = subprocess.run(["docker", "pull", base], capture_output=True, text=True, check=False)
        if pulled.returncode != 0:
            return f"no image {base} is here, and none can be pulled: {pulled.stderr.strip().splitlines()[-1]}"
    command = [sys.executable, "-m", "deploy.containers.image", "--base", base, "--tag", IMAGE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return None


class MailServer:
    """Takes letters over STARTTLS where containers reach it, on the bridge's own address of this machine."""

    def __init__(self, folder: Path, box: Path, address: str, port: int) -> None:
        box.mkdir(parents=True)
        self.certificate = folder / "mail-ca.crt"
        key = ec.generate_private_key(ec.SECP256R1())
        name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, MAIL)]), dt.datetime.now(dt.UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        made = made.not_valid_after(now + dt.timedelta(days=2))
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(MAIL)]), critical=False)
        signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate.write_bytes(signed.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        self.certificate.chmod(0o644)
        private = folder / "mail.key"
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, private)

        class _Served(Controller):
            def factory(self) -> SMTP:
                return SMTP(self.handler, tls_context=context, require_starttls=True, enable_SMTPUTF8=True)

        self._server = _Served(Mailbox(box), hostname=address, port=port)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()


class House(Demo):
    """A home in containers, in a folder of its own; `var` is what its owner has outside: authority and mailbox."""

    def __init__(self, folder: Path, engine: DockerClient, *profiles: str) -> None:
        super().__init__(folder / "owner")
        self.folder = folder
        (self.var / "pki").mkdir(parents=True)
        shutil.copy(ROOT / "deploy" / "containers" / "compose.yaml", folder)
        self._engine = engine
        self._project = f"homesystem-{os.getpid()}-{self.ports['HTTPS']}"
        bridge = str(ip_network(engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"])[1])
        self.mail = MailServer(folder, self.var / "mail", bridge, self.ports["SMTP"])
        self._write(bridge, profiles)
        self._profiles = list(profiles)
        self.on_a_server = "postgresql" in profiles

    def _write(self, bridge: str, profiles: tuple[str, ...]) -> None:
        told = {
            "COMPOSE_PROJECT_NAME": self._project,
            "HOMESYSTEM_TAG": IMAGE,
            "HOMESYSTEM_POSTGRESQL_TAG": f"{IMAGE}-postgresql",
            "LISTEN": "127.0.0.1",
            "HTTPS_PORT": self.ports["HTTPS"],
            "MQTT_PORT": self.ports["MQTT"],
        }
        if "postgresql" in profiles:
            told["HOMESYSTEM_DATABASE"] = "postgresql+asyncpg://homesystem@/{name}?host=/run/postgresql"
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
        known = {
            "environment": {"SSL_CERT_FILE": "/mail-ca.crt"},
            "extra_hosts": [f"{MAIL}:{bridge}"],
            "volumes": [f"{self.mail.certificate}:/mail-ca.crt:ro"],
        }
        services = dict.fromkeys(("hub", "auth", "alerts"), known)
        (self.folder / "compose.override.yaml").write_text(json.dumps({"services": services}))

    def docker(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[bytes]":
        """`docker compose …` in the home's folder."""
        done = subprocess.run(["docker", "compose", *words], cwd=self.folder, capture_output=True, check=False)
        assert done.returncode == 0 or not check, f"{words}: {done.stdout.decode()}\n{done.stderr.decode()}"
        return done

    def homesystem(self, *words: str) -> str:
        """A command at the hub."""
        return self.docker("exec", "-T", "hub", "homesystem", *words).stdout.decode()

    def found(self) -> None:
        """`init`, with a file of answers."""
        answers = self.folder / "answers"
        answers.mkdir()
        (answers / "password").write_text(PASSWORD + "\n")
        (answers / "answers.toml").write_text(
            f'name = "hub.home.arpa"\ntimezone = "Europe/Berlin"\n[owner]\nemail = "{EMAIL}"\nname = "Ada"\n'
            f'password_file = "password"\n[mail]\nhost = "{MAIL}"\nport = {self.ports["SMTP"]}\n'
            'sender = "Home <home@example.org>"\n'
        )
        for path in (answers / "password", answers / "answers.toml", answers):
            path.chmod(0o700 if path.is_dir() else 0o600)
            os.chown(path, USER, USER)
        mounted = ["-v", f"{answers}:/answers:ro", "hub"]
        self.docker("run", "--rm", "-T", *mounted, "homesystem", "init", "--answers", "/answers/answers.toml")

    def up(self, *more: str) -> None:
        """Start it, and wait until each part says that it is well."""
        try:
            DockerCompose(self.folder, profiles=[*self._profiles, *more]).start()
        except subprocess.CalledProcessError as error:
            listed = self.docker("ps", "--all").stdout + self.docker("logs", "--tail", "15").stdout
            raise AssertionError(f"{error}\n{listed.decode()}") from error
        assert self.well() >= PARTS | set(more)

    def well(self) -> set[str]:
        """The parts whose health check is content."""
        listed = self.docker("ps", "--format", "json").stdout.decode().splitlines()
        return {one["Service"] for one in map(json.loads, listed) if one["Health"] == "healthy"}

    def inspect(self, part: str) -> Any:
        """What the engine has of a part's container."""
        return self._engine.containers.get(f"{self._project}-{part}-1").attrs

    def sh(self, part: str, script: str) -> str:
        """What a shell in a part's container prints."""
        return self.docker("exec", "-T", part, "sh", "-c", f"({script}) 2>&1", check=False).stdout.decode()

    def enter(self) -> Client:
        """The owner, who trusts the home's authority and signs in by a mailed code."""
        (self.var / "pki" / "web-ca.crt").write_text(self.homesystem("authority"))
        client = Client(self)
        client.sign_in_as(EMAIL, PASSWORD)
        return client

    def join(self) -> None:
        """A room that hangs on nothing, in a container."""
        room = self.folder / "room"
        (room / "agents").mkdir(parents=True)
        (room / "pki").mkdir()
        packed = self.docker("exec", "-T", "hub", "carry", "room", "add", "hall").stdout
        subprocess.run(["tar", "-x", "-C", room / "pki"], input=packed, check=True)
        file = room / "agents" / "hall.toml"
        (room / "pki" / "hall" / "room.toml").rename(file)
        text = file.read_text().partition("[[devices]]")[0]
        text = text.replace('pins = "gpiod"', 'pins = "simulated"\nsim_dir = "/var/lib/homesystem/sim"')
        text = text.replace('chip = "/dev/gpiochip0"\n', "").replace('host = "hub.home.arpa"', 'host = "broker"')
        file.write_text(text + _DEVICES)
        for path in (room, *room.rglob("*")):
            os.chown(path, USER, USER)
        self.docker("up", "-d", "room")

    def edges(self, room: str, device: str) -> list[int]:
        """Every change of a simulated output's level so far."""
        path = self.folder / "room" / "sim" / f"{room}.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line["level"] for line in map(json.loads, lines) if line["device"] == device]

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Signal a container's first process from outside, past Docker, which would take `docker kill` for our wish."""
        pid = int(self.inspect(name)["State"]["Pid"])
        os.kill(pid, number)
        return pid

    def freeze(self, name: str) -> None:
        """Stop a part's own process, as one that hangs; the container's first process goes on."""
        pid = int(self.inspect(name)["State"]["Pid"])
        (part,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(part), signal.SIGSTOP)

    def end(self) -> None:
        """Take everything away."""
        DockerCompose(self.folder, profiles=["*"]).stop()
        self.mail.stop()
