# The guest's first process on this machine's files, with MODULES, PROJECT and COMMAND set above.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
export HOMESYSTEM_PINS_MODULES="$MODULES"
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
ip link set lo up
while read -r name parameters; do
    while read -r needed; do
        own=
        [ "$needed" = "$name" ] && own=$parameters
        grep -q "^$(echo "$needed" | tr - _) " /proc/modules && continue
        # shellcheck disable=SC2086 # words of their own
        busybox insmod "$MODULES/$needed.ko" $own || echo "guest: insmod $needed failed"
    done < "$MODULES/$name.needs"
done < /mnt/out/modules
cd "$PROJECT" || busybox poweroff -f
eval "$COMMAND"
echo $? > /mnt/out/code
sync
busybox poweroff -f
