#!/bin/sh
# Runs within a Debian tree: compiles all *.c here as modules of the kernel $1, with the few lines that sources meant to be
# part of the kernel itself lack as modules. A failure is the compiler's own.
set -eu
cd "$(dirname "$0")"
rm -f ./*.ko Kbuild
if [ -f irq_sim.c ]; then
    # The two calls inside the kernel that a module may not make.
    sed -i 's/handle_simple_irq(irq_to_desc(irqnum));/generic_handle_irq(irqnum);/' irq_sim.c
    printf '\n#include <linux/module.h>\nMODULE_LICENSE("GPL");\n' >> irq_sim.c
fi
objects=
for source in *.c; do
    [ "$source" = dev-sync-probe.c ] && continue
    objects="$objects ${source%.c}.o"
done
if [ -f dev-sync-probe.c ] && [ -f gpio-sim.c ]; then
    mv gpio-sim.c gpio-sim-main.c
    objects=$(echo "$objects" | sed 's/gpio-sim\.o/gpio-sim.o/')
    printf 'gpio-sim-objs := gpio-sim-main.o dev-sync-probe.o\n' >> Kbuild
fi
echo "obj-m := $objects" >> Kbuild
make -s -C "/lib/modules/$1/build" M="$PWD" modules
strip -g ./*.ko
