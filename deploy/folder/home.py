"""A home's folder: where everything lies in it, its settings, and the files rendered from them.

`home.toml` holds what `homesystem init` was told; ports may be overridden by the environment, so that two
homes can run on one machine.
"""

import datetime as dt
import getpass
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Annotated

import jinja2
import msgspec

from deploy.allowing import rights
from deploy.folder import naming, plugin, unfinished
from deploy.pki import signers
from deploy.pki.files import write
from deploy.pki.pairs import Pki
from shared.door.listening import EVERYWHERE, Hosts, addresses
from shared.running.config import Config, ConfigError, env, load
from shared.words.languages import DEFAULT, Language
from shared.words.names import is_reserved
from shared.words.problem import HomeError

ROOT = Path(__file__).resolve().parents[2]
"""The project's root, where mosquitto.conf lies."""
SERVICES = ("auth", "alerts", "readings", "gateway")
REMAINS = (
    "data",
    "secrets",
    "pki",
    "signer",
    "mosquitto",
    "agents",
    "mosquitto.conf",
    *(f"{name}.toml" for name in SERVICES),
)
"""What a home in the making consists of, in the order in which it may go; logs stay."""
SIGNER = "signer"
PAIRS = tuple(name for name in rights.HUB_CLIENTS if name != SIGNER)
"""Whose certificates lie among the home's; the signer's lies with its keys."""
SECRETS = ("password-pepper", "cookie-key", "backup-list-key")
HERE = "127.0.0.1"
"""Where the hub's own commands find the broker and the services: every home listens there (`Settings.listens_on`)."""
LOCAL = ("localhost", "127.0.0.1", "::1")
_LISTENER = "# --- the listener"
"""From here on mosquitto.conf tells of one address."""

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Settings(Config, frozen=True):
    """What distinguishes one home from another."""

    demo: bool = False
    name: str = "localhost"
    former_names: tuple[str, ...] = ()
    """Those under which browsers may still reach the hub, the last one first; `homesystem rename` keeps them."""
    former_broker_names: tuple[str, ...] = ()
    """Those under which rooms may still reach the broker."""
    host: Hosts = "127.0.0.1"
    timezone: str = "UTC"
    language: Language = DEFAULT
    smtp_host: str = "127.0.0.1"
    smtp_sender: str = "Home System <home@localhost>"
    smtp_security: str = "none"
    smtp_user: str | None = None
    https_port: Annotated[Port, env("HOMESYSTEM_HTTPS_PORT")] = 8443
    mqtt_port: Annotated[Port, env("HOMESYSTEM_MQTT_PORT")] = 8883
    smtp_port: Annotated[Port, env("HOMESYSTEM_SMTP_PORT")] = 8025
    auth_port: Annotated[Port, env("HOMESYSTEM_AUTH_PORT")] = 8444
    alerts_port: Annotated[Port, env("HOMESYSTEM_ALERTS_PORT")] = 8445
    readings_port: Annotated[Port, env("HOMESYSTEM_READINGS_PORT")] = 8446

    @property
    def hosts(self) -> list[str]:
        """Every name and address that certificates of the broker and of the services are good for."""
        return list(dict.fromkeys([self.name, *self.former_broker_names, *LOCAL]))

    @property
    def web_hosts(self) -> list[str]:
        """Those that the certificate which browsers see is good for; each former name has one of its own."""
        return list(dict.fromkeys([self.name, *LOCAL]))

    @property
    def listens_on(self) -> tuple[str, ...]:
        """The addresses of HTTPS and broker; this machine's own is always among them, since the hub uses that."""
        given = (self.host,) if isinstance(self.host, str) else self.host
        every = addresses(self.host)
        reaches_itself = not {"127.0.0.1", "0.0.0.0", "localhost"}.isdisjoint(every)  # noqa: S104 - looked for only
        return given if reaches_itself else ("127.0.0.1", *given)

    @property
    def greeting(self) -> str | None:
        """The hub's name where it is a full one, for mail servers; an address or a bare name is none."""
        return self.name if re.fullmatch(r"[\w.-]+\.[a-z][\w-]*", self.name) else None

    @property
    def ports(self) -> dict[str, int]:
        """The variable that moves each port on which the home itself listens, and the port.

        Its own mailbox is a demo's; elsewhere `smtp_port` is of the household's mail server.
        """
        mailbox = {"HOMESYSTEM_SMTP_PORT": self.smtp_port} if self.demo else {}
        return mailbox | {
            "HOMESYSTEM_HTTPS_PORT": self.https_port,
            "HOMESYSTEM_MQTT_PORT": self.mqtt_port,
            "HOMESYSTEM_AUTH_PORT": self.auth_port,
            "HOMESYSTEM_ALERTS_PORT": self.alerts_port,
            "HOMESYSTEM_READINGS_PORT": self.readings_port,
        }


class Home(msgspec.Struct, frozen=True):
    """One home: its folder and its settings."""

    var: Path
    settings: Settings

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.var / "pki"

    @property
    def mosquitto(self) -> Path:
        """The broker's own folder: rights and what it remembers."""
        return self.var / "mosquitto"

    @property
    def vault(self) -> Path:
        """The authorities' keys and what they signed, where the home's own user has them."""
        return signers.vault(self.var)

    def signer(self) -> Path | None:
        """The signer's socket; None where there is none and whoever asks does its work. Raises ConfigError."""
        return signers.reached(self.var, demo=self.settings.demo)

    def authority(self) -> Pki:
        """The authorities of this home, as of now."""
        now, demo = dt.datetime.now(dt.UTC), self.settings.demo
        port = self.settings.mqtt_port
        return Pki(self.pki, vault=self.vault, demo=demo, now=now, signer=self.signer(), broker_port=port)

    def config(self, service: str) -> Path:
        """A service's configuration file."""
        return self.var / f"{service}.toml"


def folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The home's folder: HOMESYSTEM_VAR, or `var` here."""
    return Path(environment.get("HOMESYSTEM_VAR") or "var").absolute()


def find(var: Path) -> Home:
    """The home that was set up in `var`. Raises ConfigError where there is none, or where it is being erased."""
    unfinished.check_reset(var)
    if not (var / "home.toml").exists():
        raise ConfigError(f"{var}: there is no home here; run `homesystem init`, or set HOMESYSTEM_VAR to its folder")
    owner = var.stat().st_uid
    if owner != os.geteuid():
        raise ConfigError(f"{var}: belongs to another user; run this as its owner (sudo -u '#{owner}' …)")
    return Home(var, load(Settings, var / "home.toml"))


def create(var: Path, settings: Settings) -> Home:
    """Lay out a new home, to be sealed when it is whole; what an interrupted earlier try left is made anew.

    Raises ConfigError where there is a home already.
    """
    unfinished.begin(var, written(settings), REMAINS)
    home = Home(var, settings)
    lay_out(home)
    return home


def seal(home: Home) -> None:
    """From now on there is a home here."""
    unfinished.finish(home.var)


def written(settings: Settings) -> bytes:
    """`home.toml`."""
    fields = {name: getattr(settings, name) for name in settings.__struct_fields__}
    lines = [
        f"{name} = {msgspec.json.encode(value).decode()}" for name, value in fields.items() if value not in (None, ())
    ]
    return ("# What `homesystem init` was told.\n" + "\n".join(lines) + "\n").encode()


def lay_out(home: Home) -> None:
    """Make what is missing of folders, secrets, certificates and configuration; nothing that exists is changed.

    Certificates near their end are renewed, and the broker's configuration always follows its template.
    """
    for name in ("data", "log", "secrets", "pki", "mosquitto"):
        (home.var / name).mkdir(parents=True, exist_ok=True)
    (home.var / "secrets").chmod(0o700)
    for name in SECRETS:
        if not (home.var / "secrets" / name).exists():
            write(home.var / "secrets" / name, secrets.token_urlsafe(32).encode() + b"\n", 0o600)
    renew(home)
    for service in SERVICES:
        render(home, service, home.config(service))
    write(home.var / "mosquitto.conf", broker_config(home).encode(), 0o644)
    if not (home.mosquitto / "dynamic-security.json").exists():
        roles = [rights.hub_role(name) for name in rights.HUB_CLIENTS]
        write_rights(home, roles)


def renew(home: Home) -> list[str]:
    """Certificates that are missing or near their end, made anew, and a fresh revocation list; returns their names."""
    authority, settings = home.authority(), home.settings
    hosts, web_hosts = settings.hosts, settings.web_hosts
    if (vouched := naming.unannounced(home.pki, settings.name, settings.former_names)) is not None:
        # Renewed for the name that browsers and rooms know; `naming.check` says what to do about the other.
        hosts, web_hosts = list(dict.fromkeys([vouched, *hosts])), [vouched, *LOCAL]
    authority.ensure_authorities(web_hosts, settings.former_names)
    made = [name for name in PAIRS if authority.ensure_client(name, "service")]
    if home.signer() is None:  # its work is ours, and so is what it needs to begin
        signers.note_port(home.var, home.settings.mqtt_port)
        if authority.ensure_client(SIGNER, "service", folder=signers.state(home.var)):
            made.append(SIGNER)
    servers = {"broker": "broker", "auth-server": "auth", "alerts-server": "alerts", "recorder-server": "recorder"}
    made += [stem for stem, name in servers.items() if authority.ensure_server(stem, name, "service", hosts)]
    if authority.ensure_web(web_hosts):
        made.append("web")
    made += authority.ensure_former(settings.former_names)
    # A room that an older version let be called like a file of the hub's own has its pair no longer renewed over that.
    rooms = (path.stem for path in (home.var / "agents").glob("*.toml") if not is_reserved(path.stem))
    made += [room for room in rooms if (home.pki / f"{room}.crt").exists() and _renew_room(authority, room)]
    return made


def _renew_room(authority: Pki, room: str) -> bool:
    try:
        return authority.ensure_client(room, "room")
    except HomeError as error:
        if error.slug != "forbidden":  # it was revoked: its file may lie here, and it gets nothing
            raise
        return False


def write_rights(home: Home, roles: list[rights.Role]) -> None:
    """The broker's rights for a home that never ran; later changes go through the running broker."""
    content = msgspec.json.format(msgspec.json.encode(rights.document(roles)), indent=1)
    write(home.mosquitto / "dynamic-security.json", content, 0o600)


def render(home: Home, template: str, path: Path) -> None:
    """Write a service's configuration from its template, unless the owner has one already."""
    if path.exists():
        return
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "deploy" / "templates"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - renders TOML, never HTML
    )
    s = home.settings
    values = {name: getattr(s, name) for name in s.__struct_fields__}
    text = environment.get_template(f"{template}.toml.j2").render(
        var=home.var, greeting=s.greeting, listens_on=list(s.listens_on), **values
    )
    write(path, text.encode(), 0o640)


def broker_config(home: Home) -> str:
    """mosquitto.conf with this home's values; what says how a listener is, once for each address."""
    common, mark, listener = (ROOT / "mosquitto.conf").read_text().partition(_LISTENER)
    values = {
        "user": getpass.getuser(),
        "mosquitto_dir": home.mosquitto,
        "dynsec_plugin": plugin.find(),
        "mqtt_port": home.settings.mqtt_port,
        "pki": home.pki,
    }
    # Without an address Mosquitto takes both families, also where there is only one; with `::` it takes IPv6 alone.
    places = ("" if host == EVERYWHERE else f" {host}" for host in home.settings.listens_on)
    each = (Template(mark + listener).substitute(values, mqtt_host=place) for place in places)
    return Template(common).substitute(values) + "\n".join(each)


def own_certificate(home: Home) -> Path | None:
    """The certificate that the household brought for its pages, in place of ours. Raises ConfigError."""
    try:
        named = tomllib.loads(home.config("gateway").read_text()).get("https", {}).get("certificate")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{home.config('gateway')}: cannot be read ({error})") from error
    return Path(named) if named and Path(named) != home.pki / "web.crt" else None
