"""Starts the alert service: `python -m alert_service [--config PATH] [--check-config]`."""

from collections.abc import Awaitable, Callable

from alert_service import config
from alert_service.config import AlertsConfig
from shared.keeping import starting
from shared.running import lifecycle


def main(arguments: list[str] | None = None) -> int:
    """Run the service; the exit code."""
    return starting.start("alerts", __doc__, config.read, _bring, arguments, program="alert_service")


def _bring() -> Callable[[AlertsConfig], Awaitable[None]]:
    from alert_service.app import serve

    return serve


if __name__ == "__main__":
    lifecycle.leave(main())
