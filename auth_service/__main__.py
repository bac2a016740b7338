"""Starts the auth service: `python -m auth_service [--config PATH] [--check-config]`."""

from collections.abc import Awaitable, Callable

from auth_service import config
from auth_service.config import AuthConfig
from shared.keeping import starting
from shared.running import lifecycle


def main(arguments: list[str] | None = None) -> int:
    """Run the service; the exit code."""
    return starting.start("auth", __doc__, config.read, _bring, arguments, program="auth_service")


def _bring() -> Callable[[AuthConfig], Awaitable[None]]:
    from auth_service.app import serve

    return serve


if __name__ == "__main__":
    lifecycle.leave(main())
