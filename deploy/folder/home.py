"""A home's folder: where everything lies in it, its settings, and the files rendered from them.

`home.toml` holds what `homesystem init` was told (settings.py).
"""

import contextlib
import datetime as dt
import getpass
import os
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

import jinja2
import msgspec

from deploy.allowing import rights
from deploy.folder import naming, parts, plugin, turns, unfinished
from deploy.folder.settings import HERE as HERE
from deploy.folder.settings import LOCAL as LOCAL
from deploy.folder.settings import Settings as Settings
from deploy.pki import signers
from deploy.pki.files import write
from deploy.pki.pairs import Pki
from shared.door.listening import EVERYWHERE
from shared.keeping import sharing
from shared.running.config import ConfigError, load
from shared.words.names import is_reserved
from shared.words.problem import HomeError

ROOT = Path(__file__).resolve().parents[2]
"""The project's root, where mosquitto.conf lies."""
SERVICES = parts.SERVICES
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
"""What a home in the making consists of beside its parts, in the order in which it may go; logs stay."""
SIGNER = "signer"
PAIRS = tuple(name for name in rights.HUB_CLIENTS if name != SIGNER)
"""Whose certificates lie among the home's; the signer's lies with its keys."""
SECRETS = ("password-pepper", "cookie-key", "backup-list-key")
_LISTENER = "# --- the listener"
"""From here on mosquitto.conf tells of one address."""


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
        return parts.folder(self.var, "broker") / "mosquitto"

    @property
    def broker_config(self) -> Path:
        """The broker's configuration."""
        return parts.folder(self.var, "broker") / "mosquitto.conf"

    @property
    def shown(self) -> Path:
        """The certificate of ours that the gateway shows to browsers, where the household brought none."""
        return parts.folder(self.var, "gateway") / "pki" / "web.crt"

    @property
    def contained(self) -> bool:
        """Whether each part lives in a container of its own."""
        return parts.are_contained(self.var)

    @property
    def apart(self) -> bool:
        """Whether each part has a folder of its own, and is another user's or another container's."""
        return parts.are_apart(self.var)

    @property
    def notes(self) -> Path:
        """Where the house's page finds what the hub's commands left (shared/keeping/notes.py)."""
        return parts.folder(self.var, "gateway") / "data"

    @property
    def hosts(self) -> list[str]:
        """Every name and address that certificates of the broker and of the services are good for."""
        return [*self.settings.hosts, *(parts.KEYS if self.contained else ())]

    def database(self, service: str) -> str:
        """The address of a service's database."""
        if self.settings.database is not None:
            return self.settings.database.replace("{name}", service)
        return f"sqlite+aiosqlite:///{self.config(service).parent}/data/{service}.sqlite3"

    def called(self, part: str) -> str:
        """Where a part of the hub (`parts.KEYS`) is reached by the others and by the hub's commands."""
        return part if self.contained else HERE

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
        return parts.config(self.var, service)


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


@contextlib.contextmanager
def turn(var: Path, what: str) -> Iterator[Home]:
    """The home in `var`, as it is once it is our turn (turns.py): who had it before may have given it other settings.

    Raises ConfigError as `find` does.
    """
    find(var)  # no lock is laid where there is no home
    with turns.turn(var, what):
        yield find(var)


def create(var: Path, settings: Settings) -> Home:
    """Lay out a new home, to be sealed when it is whole; what an interrupted earlier try left is made anew.

    Raises ConfigError where there is a home already.
    """
    unfinished.begin(var, written(settings), [*REMAINS, *parts.remains(var)])
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
    own = (home.var / name for name in ("log", "secrets", "pki"))
    for folder in (*own, *parts.states(home.var)):
        folder.mkdir(parents=True, exist_ok=True)
    (home.var / "secrets").chmod(0o700)
    for name in SECRETS:
        if not (home.var / "secrets" / name).exists():
            write(home.var / "secrets" / name, secrets.token_urlsafe(32).encode() + b"\n", 0o600)
    renew(home)
    for service in SERVICES:
        render(home, service, home.config(service))
    write(home.broker_config, broker_config(home).encode(), 0o644)
    if not (home.mosquitto / "dynamic-security.json").exists():
        roles = [rights.hub_role(name) for name in rights.HUB_CLIENTS]
        write_rights(home, roles)


def renew(home: Home) -> list[str]:
    """Certificates that are missing or near their end, made anew, and a fresh revocation list; returns their names."""
    authority, settings = home.authority(), home.settings
    hosts, web_hosts = home.hosts, settings.web_hosts
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
    parts.hand_out(home.var)
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
    write(home.mosquitto / "dynamic-security.json", content, sharing.writable(home.mosquitto))


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
        var=home.config(template).parent if template in SERVICES else home.var,
        greeting=s.greeting,
        listens_on=list(s.listens_on),
        home=home.var,
        logs=None if home.contained else parts.log(home.var, template),
        inside=EVERYWHERE if home.contained else HERE,
        called=home.called,
        kept=home.database,
        **values,
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
        "pki": parts.folder(home.var, "broker") / "pki",
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
    return Path(named) if named and Path(named) != home.shown else None
