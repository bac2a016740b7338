"""The demo's mailbox: takes every letter on loopback and keeps it as a file in `mail/`.

`python -m deploy.running.mailbox` runs it.
"""

import argparse
import asyncio
import email
import email.policy
import logging
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.pki.files import write
from shared.running import lifecycle, log
from shared.running.config import ConfigError
from shared.running.log import facts

_log = logging.getLogger("deploy.running.mailbox")
MAX_LETTER_BYTES = 1_000_000


class Mailbox:
    """aiosmtpd's handler: one `.eml` file per letter, named by arrival, there only when it is whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep one letter; a full disk is a temporary failure, so that its sender tries again."""
        self._count += 1
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        path = self._folder / f"{stamp}-{time.monotonic_ns():020d}-{self._count:04d}.eml"
        content = envelope.content or b""
        try:
            await asyncio.to_thread(write, path, content if isinstance(content, bytes) else content.encode(), 0o600)
        except OSError as error:
            _log.warning("Letter cannot be kept", extra=facts(reason=error))
            return "451 the letter cannot be kept now"
        letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        _log.info("Letter came", extra=facts(file=path.name, to=letter["To"], kind=letter.get("X-Home-Letter", "-")))
        return "250 kept"


async def serve(folder: Path, host: str, port: int) -> None:
    """Take letters until cancelled. Raises ConfigError when the port cannot be taken."""
    loop = asyncio.get_running_loop()
    mailbox = Mailbox(folder)
    try:
        server = await loop.create_server(
            lambda: SMTP(mailbox, data_size_limit=MAX_LETTER_BYTES, enable_SMTPUTF8=True), host, port
        )
    except OSError as error:
        raise ConfigError(
            f"port {port} on {host} cannot be taken ({error.strerror}): stop what listens there"
        ) from error
    async with server:
        await server.serve_forever()


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.running.mailbox", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log-dir", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    log.set_up("mailbox", arguments.log_dir)
    return lifecycle.run(lambda: serve(arguments.folder, "127.0.0.1", arguments.port))


if __name__ == "__main__":
    raise SystemExit(main())
