"""What whoever works at the hub has open: the accounts' database, the passwords' pepper and the spool of proof."""

import contextlib
from collections.abc import AsyncIterator

from auth_service.config import AuthConfig
from auth_service.people.passwords import Passwords
from auth_service.store import must_be_there, open_store
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.running.config import read_secret


@contextlib.asynccontextmanager
async def opened(config: AuthConfig, *, founding: bool = False) -> AsyncIterator[tuple[Store, Passwords, Spool]]:
    """Those of the home that `config` describes; migrates the database, which `founding` alone begins.

    Raises ConfigError when the database, the spool or the pepper cannot be used.
    """
    if not founding:
        must_be_there(config.database)
    passwords = Passwords(read_secret(config.pepper_file), rounds=config.passwords.bcrypt_rounds)
    store = await open_store(config.database)
    try:
        with contextlib.closing(Spool(config.spool, source=config.broker.identity)) as spool:
            yield store, passwords, spool
    finally:
        await store.close()
        passwords.close()
