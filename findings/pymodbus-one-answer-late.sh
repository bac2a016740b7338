#!/bin/bash
# pymodbus 3.16.1, its synchronous client with the RTU framer over TCP, as for a meter on RS-485 behind a converter.
#
# What one would expect: a device answers one question too late, after the client asked it again. The client has its value, an answer
# that is left over is thrown away before the next question goes out, and each register that is read afterwards has its own value.
# What happens: the answer that is left over is taken for that of the next question, the answer to which is then left over in turn. From one
# late answer on, each value is that of the register that was read before it: without an error, however long the pauses, and for as
# long as the connection lasts. RTU does not say what it answers, so that temperatures, powers and states of one device look alike.
# The asynchronous client does the same while it asks without a pause, and is right again after one.
# With numbered questions (the client's own framing of Modbus TCP) the one left over is known by its number, and all is right.
#
# For whoever reads meters: after each question that had to be repeated, close the connection and begin another.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pymodbus==3.16.1

cat >"$work/look.py" <<'P'
import contextlib
import logging
import queue
import socket
import struct
import threading

import pymodbus
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

HOLDS = {100: 11, 200: 22, 300: 33, 400: 44, 500: 55}


def checksum(frame):
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def rtu(line):
    asked = line.read(8)
    answer = asked[:2] + struct.pack(">BH", 2, HOLDS[int.from_bytes(asked[2:4], "big")])
    return answer + checksum(answer)


def numbered(line):
    asked = line.read(12)
    answer = asked[6:8] + struct.pack(">BH", 2, HOLDS[int.from_bytes(asked[8:10], "big")])
    return asked[:2] + struct.pack(">HH", 0, len(answer)) + answer


def think(taken):
    """As long as a device needs for an answer, or until somebody has taken an older one for it."""
    with contextlib.suppress(queue.Empty):
        taken.get(timeout=0.2)


def be_device(listener, answer, taken, answered):
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as line:
        late = answer(line)
        again = answer(line)  # the same question once more: now both are answered, one after the other
        connection.sendall(late)
        taken.get(timeout=10)
        connection.sendall(again)
        answered.put(1)
        for _ in list(HOLDS)[1:]:
            answers = answer(line)
            think(taken)
            connection.sendall(answers)
            answered.put(1)


def look(name, framer, answer):
    taken, answered = queue.Queue(), queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=be_device, args=(listener, answer, taken, answered)).start()
        client = ModbusTcpClient("127.0.0.1", port=listener.getsockname()[1], framer=framer, timeout=1)
        client.connect()
        read = []
        for register in HOLDS:
            read += client.read_holding_registers(register, count=1, device_id=5).registers
            taken.put(1)
            answered.get(timeout=10)  # so that whatever there is to throw away has come before the next question
        client.close()
    print(f"{name}: {read}")


logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
print(f"pymodbus {pymodbus.__version__}")
print(f"the device holds: {list(HOLDS.values())}")
look("numbered questions", FramerType.SOCKET, numbered)
look("RTU", FramerType.RTU, rtu)
P
seen=$("$work/venv/bin/python" "$work/look.py")
printf '%s\n' "$seen"
expected='pymodbus 3.16.1
the device holds: [11, 22, 33, 44, 55]
numbered questions: [11, 22, 33, 44, 55]
RTU: [11, 11, 22, 33, 44]'
[ "$seen" = "$expected" ] || { echo "CHANGED: a late answer no longer shifts all values that are read after it"; exit 1; }
echo "as stated: after one late answer each value is that of the register before"
