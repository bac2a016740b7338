"""Where Mosquitto's plugin for rights lies on this machine."""

from pathlib import Path

from shared.running.config import ConfigError

_PLACES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")


def find() -> Path:
    """Where Mosquitto's dynamic security is. Raises ConfigError where it is not installed."""
    # Where distributions have it first: a look through ten thousand folders costs more than anything else at a start.
    for depth in ("", "*/", "**/"):
        for place in _PLACES:
            for found in sorted(Path(place).glob(f"{depth}mosquitto_dynamic_security.so")):
                return found
    raise ConfigError(
        "mosquitto_dynamic_security.so is not installed; install Mosquitto 2.0.11 or newer (apt install mosquitto)"
    )
