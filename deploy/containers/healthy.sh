#!/bin/sh
# The health check of a container: the part has said that it serves, and a sign of life is no older than half a minute.
set -eu
[ -n "$(find /run/homesystem/well -newermt '-30 seconds' 2>/dev/null)" ] || {
    echo "no sign of life"
    exit 1
}
cat /run/homesystem/well
