"""The broker of this home as the hub's command sees it: whether it runs, and who may do what at it.

Rights change in the running broker, which the signer tells, or in its file where none runs.
"""

import errno
import os
import socket
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from deploy.allowing import orders, rights
from deploy.allowing.orders import Plan, Standing
from deploy.broker_watch import hold
from deploy.folder.home import HERE, Home
from deploy.live_broker.control import PATIENCE_SECONDS, Control
from deploy.pki import signers
from deploy.pki.files import write
from shared.broker import mqtt
from shared.keeping import sharing
from shared.running.config import ConfigError
from shared.trust import signing, tls
from shared.words.names import is_hub
from shared.words.problem import HomeError


def config(home: Home, identity: str = "admin") -> mqtt.BrokerConfig:
    """How one of the hub's own identities reaches the broker on this machine."""
    pki = home.pki
    files = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{identity}.crt", key=pki / f"{identity}.key")
    return mqtt.BrokerConfig(identity=identity, tls=files, host=home.called("broker"), port=home.settings.mqtt_port)


def as_signer(home: Home) -> Control:
    """As `as_admin`, as the identity that may give orders: where no signer runs, its work is ours."""
    state = signers.state(home.var)
    files = tls.Identity(ca=home.pki / "device-ca.crt", certificate=state / "signer.crt", key=state / "signer.key")
    broker = mqtt.BrokerConfig(identity="signer", tls=files, host=home.called("broker"), port=home.settings.mqtt_port)
    return Control(broker, patience=PATIENCE_SECONDS if runs(home) else 0.0)


def as_admin(home: Home) -> Control:
    """To be entered: a connection as `admin`. Where no broker runs, that is told without waiting for one."""
    return Control(config(home), patience=PATIENCE_SECONDS if runs(home) else 0.0)


def standing(home: Home, name: str) -> Standing:
    """What an identity has. Raises HomeError("broker-unreachable") where a broker runs and cannot be asked."""
    if runs(home):
        if (signer := home.signer()) is not None:
            seen = signing.ask(signer, signing.Look(name=name), signing.Seen)
            return Standing(name, seen.right, seen.roles, seen.disabled, seen.connections)
        with as_signer(home) as control:
            return control.standing(name)
    return orders.written(read(home), name)


def grant(home: Home, role: rights.Role) -> None:
    """The identity that `role` is named after has it from now on."""
    name, plan = role["rolename"], orders.grant(role)
    if not runs(home):
        _write_down(home, name, plan)
        # One that was started meanwhile may have read the file before, and would write over it.
        if not runs(home):
            return
    _settle(home, name, rights.order_of(role), plan, done=lambda standing: not plan(standing))


def shut_out(home: Home, name: str, *, left: frozenset[str] = frozenset(), is_room: bool) -> bool:
    """Take every right from an identity and drop its connection; False where no broker runs, and it has none.

    `left` are topics on which a room may have left something retained, besides those that the broker shows.
    Raises HomeError("broker-unreachable") where a broker runs and it is not known whether it did so.
    """
    if not runs(home):
        _write_down(home, name, orders.shut_out)
        if not runs(home):
            return False
    with as_admin(home) as control:
        retained = control.retained_of(name) if is_room else set()
        _settle(home, name, signing.Withdraw(name=name), orders.shut_out, done=lambda standing: standing.out)
        control.clear(retained | left)
    return True


def drop(home: Home, names: list[str]) -> None:
    """Drop their connections; rights stay. Nobody who is connected is asked again: who may not knocks anew in vain."""
    if not names or not runs(home):
        return
    if (signer := home.signer()) is not None:
        for name in names:
            signing.ask(signer, signing.Drop(name=name), signing.Changed)
        return
    with as_signer(home) as control:
        for name in names:
            standing = control.standing(name)
            if standing.roles is not None and not standing.disabled:
                control.settle(name, orders.disable, done=lambda found: found.disabled)
            if standing.holds:  # disabled already: an earlier try was interrupted here
                control.settle(name, orders.enable, done=lambda found: not found.disabled)


def others(home: Home) -> set[str]:
    """Rooms and clients that have rights, by their names. Raises as `read` does."""
    names = (client["username"] for client in read(home)["clients"])
    return {name for name in names if name not in rights.HUB_CLIENTS and not is_hub(name)}


def _settle(home: Home, name: str, order: signing.AnyOrder, plan: Plan, *, done: Callable[[Standing], bool]) -> None:
    if (signer := home.signer()) is not None:
        signing.ask(signer, order, signing.Changed)
        return
    with as_signer(home) as control:
        control.settle(name, plan, done=done)


def refresh(home: Home) -> list[str]:
    """Give the hub's own identities what this version needs them to have; returns whose rights changed.

    A home that an older version made lacks what came later. To be called before the broker starts; where it runs, it
    is told at once.
    """
    wanted = {role["rolename"]: role for role in rights.outdated(read(home)["roles"], rights.HUB_CLIENTS)}
    others = list(wanted.values())
    if "signer" in wanted and runs(home):
        # A broker of a version without a signer: `admin` still gives orders there. What it has too much goes last.
        others = [wanted["admin"]] if "admin" in wanted else []
        _as_before(home, [role for name, role in wanted.items() if name != "admin"])
    for role in others:
        try:
            grant(home, role)
        except HomeError as error:
            if role["rolename"] != "admin" or error.slug != "broker-unreachable":
                raise
            # The signer is on its way to the broker; the file is brought up to date before that starts the next time.
    return sorted(wanted)


def _as_before(home: Home, roles: Iterable[rights.Role]) -> None:
    with as_admin(home) as control:
        for role in roles:
            plan = orders.grant(role)
            control.settle(role["rolename"], plan, done=partial(_is_settled, plan))


def _is_settled(plan: Plan, standing: Standing) -> bool:
    return not plan(standing)


def process(home: Home) -> int | None:
    """The running broker of this home, from its pid file, if it is alive and a Mosquitto.

    None where it lives apart: its numbers are those of its own container, and may be others' here.
    """
    if home.apart:
        return None
    try:
        pid = int((home.mosquitto / "mosquitto.pid").read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return None
    return pid if name == "mosquitto" else None


def runs(home: Home) -> bool:
    """Whether a broker runs, or something listens in its place: only where neither is so, its file may be changed."""
    if home.apart:
        return hold.is_held(home.mosquitto)
    if process(home) is not None:
        return True
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HERE, home.settings.mqtt_port)) != errno.ECONNREFUSED


def read(home: Home) -> dict[str, Any]:
    """The plugin's file. Raises ConfigError where it cannot be read."""
    path = home.mosquitto / "dynamic-security.json"
    try:
        document: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{path}: the broker's rights cannot be read ({error}); bring it back from a backup"
        ) from error
    return document


def _write_down(home: Home, name: str, plan: Plan) -> None:
    document = read(home)
    needed = plan(orders.written(document, name))
    if not needed:
        return
    path = home.mosquitto / "dynamic-security.json"
    owner = path.stat()
    content = msgspec.json.format(msgspec.json.encode(orders.applied(document, needed)), indent=1)
    write(path, content, sharing.writable(path.parent))
    if os.geteuid() == 0 and owner.st_uid != 0:  # nobody else can, or need; the units forbid the call
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
