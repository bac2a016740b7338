"""The floor's room: paho, an intent on its file before the edge that is not there, the outcome after it, then its word.

No judging, pin, limit or clock. `python -m tests.bench.bare_room PKI MQTT FOLDER`.
"""

import select
import sqlite3
import sys
from pathlib import Path

import msgspec
import paho.mqtt.client as paho

from shared.broker import mqtt, paho_client
from tests.bench import bare_parts
from tests.bench.bare_parts import ANSWERS, STATES, WISHES, Answer, Wish

_SCHEMA = """
CREATE TABLE command (id TEXT PRIMARY KEY, wish TEXT, answer BLOB) WITHOUT ROWID;
CREATE TABLE standing (device TEXT PRIMARY KEY, state BLOB) WITHOUT ROWID;
"""
_PAGES_BEFORE_CHECKPOINT = 4000
"""As in a room's ledger."""


def main(pki: Path, port: int, folder: Path) -> None:
    """Obey until killed."""
    db = sqlite3.connect(folder / "bare-room.sqlite3", isolation_level=None)
    db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")
    db.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BEFORE_CHECKPOINT}")
    where = bare_parts.broker(pki, bare_parts.ROOM, port)
    client = paho_client.new_client(where, mqtt.Will("bench/will", b""), manual_ack=True)

    def obey(_c: object, _u: object, message: paho.MQTTMessage) -> None:
        wish = msgspec.json.decode(message.payload, type=Wish)
        db.execute("INSERT INTO command (id, wish) VALUES (?, ?)", (wish.id, wish.action))
        answer = msgspec.json.encode(Answer(wish.id, "executed"))
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE command SET answer = ? WHERE id = ?", (answer, wish.id))
        db.execute("INSERT OR REPLACE INTO standing (device, state) VALUES ('lamp', ?)", (answer,))
        db.execute("COMMIT")
        client.publish(STATES, answer, qos=1, retain=True)
        client.publish(ANSWERS, answer, qos=1)
        client.ack(message.mid, 1)

    def enter(*_: object) -> None:
        client.subscribe(WISHES, qos=1)

    def say_up(*_: object) -> None:
        print("up", flush=True)

    client.on_message, client.on_connect, client.on_subscribe = obey, enter, say_up
    client.connect("localhost", port)
    assert client.opened is not None
    client.opened.flush_soon = client.on_socket_register_write = _later
    while client.socket() is not None:
        writes = [client.opened] if client.want_write() or client.opened.is_holding else []
        select.select([client.opened], writes, [], 1.0)
        client.loop_read()
        while client.opened.pending():
            client.loop_read()
        if client.want_write():
            client.loop_write()
        client.opened.flush()
        client.loop_misc()


def _later(*_: object) -> None:
    """What is to be sent goes at the end of the turn, in one piece."""


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
