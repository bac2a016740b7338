"""What the doctor sees of certificates that lie here and are refused everywhere: the home's own list names them."""

from collections.abc import Iterator
from pathlib import Path

from deploy.allowing import orders
from deploy.examining.finding import Finding, well, wrong
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from deploy.pki import leaf, reading
from shared.running.config import ConfigError
from shared.trust import revoked


def serials(home: Home) -> frozenset[int]:
    """What was taken back; nothing where the list cannot be read, which its own line says."""
    try:
        return revoked.read(home.pki / revoked.NAME).serials
    except ConfigError:
        return frozenset()


def judged(home: Home, path: Path, listed: frozenset[int]) -> Iterator[Finding]:
    """One finding for a certificate that is `listed`, none for another. Raises ConfigError where it cannot be read."""
    certificate = reading.certificate(path)
    if certificate.serial_number not in listed:
        return
    file, (name, role) = path.relative_to(home.pki), leaf.holder(certificate)
    if role not in ("room", "client"):
        yield wrong("certificates", f"{file} was revoked: nobody believes {name} by it", "`homesystem renew`")
    elif orders.written(brokers.read(home), name).out:
        yield well("certificates", f"{file} was revoked for good with the {role} {name}, and may be deleted")
    else:
        file_too = f" and agents/{name}.toml" if role == "room" else ""
        yield wrong(
            "certificates",
            f"{file} was revoked: nobody lets {role} {name} in by it",
            f"`homesystem {role} renew {name} --out FOLDER`, then put its {role}.crt and {role}.key in the place of "
            f"{path} and {path.stem}.key; if {name} lives elsewhere by now, delete these two{file_too}",
        )
