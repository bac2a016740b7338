"""How a connection to the broker is left: with a goodbye, or without a word, so that its will speaks."""

import paho.mqtt.client as paho

TICK_SECONDS = 0.05
"""So soon a room that hears no more commands looks again whether it may go: nobody can switch anything meanwhile."""


def leave(client: paho.Client) -> None:
    """Say goodbye, so that no will speaks. paho closes the socket behind it, and that sends what was gathered."""
    client.disconnect()
    client.loop_write()
    drop(client)


def drop(client: paho.Client) -> None:
    """Close its socket without a word, so that its will speaks; after a clean leave there is none to close."""
    if (sock := client.socket()) is not None:
        sock.close()
