"""Starts the recorder: `python -m alert_service.readings [--config PATH] [--check-config]`."""

from collections.abc import Awaitable, Callable

from alert_service.readings import config
from alert_service.readings.config import ReadingsConfig
from shared.keeping import starting
from shared.running import lifecycle


def main(arguments: list[str] | None = None) -> int:
    """Run the service; the exit code."""
    return starting.start("readings", __doc__, config.read, _bring, arguments, program="alert_service.readings")


def _bring() -> Callable[[ReadingsConfig], Awaitable[None]]:
    from alert_service.readings.app import serve

    return serve


if __name__ == "__main__":
    lifecycle.leave(main())
