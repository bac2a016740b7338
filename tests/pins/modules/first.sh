#!/bin/sh
# The guest's first process: makes this machine's files its own root, to be read only, and a folder of its own to write to.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do
    insmod "/m/$module.ko" || echo "guest: insmod $module failed"
done < /order
mount -t configfs configfs /sys/kernel/config
share="trans=virtio,version=9p2000.L,msize=262144"
mount -t 9p -o "ro,$share,cache=loose" root0 /newroot || { echo "guest: no root"; poweroff -f; }
for folder in proc sys dev; do mount --move "/$folder" "/newroot/$folder"; done
mount -t tmpfs tmpfs /newroot/tmp
mount -t tmpfs tmpfs /newroot/run
mount -t tmpfs tmpfs /newroot/mnt
mkdir /newroot/mnt/out
mount -t 9p -o "rw,$share" out0 /newroot/mnt/out || { echo "guest: nowhere to write"; poweroff -f; }
exec switch_root /newroot /bin/sh /mnt/out/begin.sh
