#!/bin/sh
# The board's first process: what a kernel gives, and then whatever the console asks for.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /tmp /run
export PATH=/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 PYTHONPATH=/project:/packages
exec python3 /aboard/server.py
