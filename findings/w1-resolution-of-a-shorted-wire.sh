#!/bin/bash
# Linux 6.12 (Debian 13), driver w1_therm, a DS18B20 of 12 bits on a 1-Wire bus in memory (tests/pins/modules/w1_memory.c).
#
# What one would expect: reading an attribute changes nothing; and a wire that is held low, so that nobody can answer, is an
# error, or at least leaves what is known of the sensor as it was.
# What happens: while the wire is shorted, `resolution` reads 9 with success, since an answer of nothing but zeros has the right
# checksum. And the look has a lasting effect: `conv_time`, how long the driver waits for a conversion, goes from 750 ms to
# 95 ms and stays there once the wire is sound again, though the sensor still converts 12 bits, for which its data sheet gives
# 750 ms. Reading temperatures does not mend that; reading `resolution` again on the sound wire does. Whoever reads all attributes
# of a sensor does this without knowing.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d -p /var/tmp) # a guest has a /tmp of its own
trap 'rm -rf "$work"' EXIT
[ -x .venv/bin/python ] || deploy/setup.sh test
export HOMESYSTEM_PINS_CACHE=$work # the kernel and what is built for it are gone afterwards

.venv/bin/python - <<'P'
import sys

from tests.pins import guest, kernels, needs

SCRIPT = """
uname -r
set -- /sys/module/w1_memory/parameters
echo Y,N,N,N,N,N,N,N > $1/present
until ls -d /sys/bus/w1/devices/28-* > /dev/null 2>&1; do
    echo 1 > /sys/bus/w1/devices/w1_bus_master1/w1_master_search
    sleep 1
done
cd /sys/bus/w1/devices/28-*
echo "before: waits $(cat conv_time) ms"
echo Y > $1/shorted
echo "shorted: says $(cat resolution) bits, with exit code $?"
echo N > $1/shorted
cat temperature > /dev/null
echo "sound again: waits $(cat conv_time) ms; its own answer says $(cut -d ' ' -f 5 w1_slave | head -n 1)"
echo "looked at again: says $(cat resolution) bits, waits $(cat conv_time) ms"
"""
EXPECTED = [
    "before: waits 750 ms",
    "shorted: says 9 bits, with exit code 0",
    "sound again: waits 95 ms; its own answer says 7f",
    "looked at again: says 12 bits, waits 750 ms",
]

if why := needs.missing():
    sys.exit(f"not looked: {why}")
seen = guest.run(kernels.kernel("6.12"), ["sh", "-c", SCRIPT], modules=["w1-memory", "w1-therm"], seconds=180)
said = [line for line in seen.console.splitlines() if line.partition(":")[0] in {e.partition(":")[0] for e in EXPECTED}]
print(next((line for line in seen.console.splitlines() if line.startswith("6.12")), "no version told"))
print("\n".join(said))
sys.exit(0 if said == EXPECTED else "this is not what was seen before")
P
